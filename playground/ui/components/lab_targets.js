// The gallery, and the visitor's own. What the server refuses is said where the picture would be.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);
const gallery = part("[data-gallery]");
const answer = part("[data-own-answer]");

// ---- the gallery
const nats = (entry) => (Number.isFinite(entry.entropy) ? `H = ${entry.entropy.toFixed(2)}` : "H unknown");
const chosen = () => (lab.state.target || {}).name || null;
const entries = () => (lab.facts ? lab.facts.targets : []);

const card = (entry) => {
  const canvas = h("canvas", {"aria-hidden": "true"});
  const button = h("button.lab-card", {type: "button", "data-target": entry.name, "aria-pressed": "false", title: entry.line,
    onclick: () => { close(); lab.useTarget(entry); }, onpointerenter: () => line(entry), onpointerleave: () => line(), onfocus: () => line(entry), onblur: () => line()},
  canvas, h("span.lab-card-title", {}, entry.title), h("span.lab-card-h", {}, nats(entry)));
  return {entry, button, paint: () => lab.paint(canvas, {logp: entry.logp, points: null})};
};

let cards = [];
const drawGallery = () => {
  cards = entries().map(card);
  gallery.replaceChildren(...cards.map((c) => c.button));
  requestAnimationFrame(() => cards.forEach((c) => c.paint()));
};

const line = (entry = lab.target) => {
  if (!entry) return;
  const words = [entry.line || entry.title, Number.isFinite(entry.entropy) ? `Entropy ${entry.entropy.toFixed(3)} nats.` : "Its density is unknown: only held-out numbers are given."];
  part("[data-target-line]").textContent = words.filter(Boolean).map((w) => (/[.!?]$/.test(w) ? w : `${w}.`)).join(" ");
};

// ---- the visitor's own
let open = null;
let asked = 0;
const panes = new Map();

const refuse = (sentence) => {
  answer.hidden = false;
  answer.replaceChildren(h("div.pg-refusal.lab-refusal", {role: "alert", "data-refusal": true}, h("span.pg-refusal-mark", {}, "–"), h("p", {}, sentence)));
};

const shown = (entry, note = "") => {
  const canvas = h("canvas", {role: "img", "aria-label": `your distribution: ${entry.title}`});
  answer.hidden = false;
  answer.replaceChildren(canvas, h("p.lab-own-title", {}, entry.title, " ", h("span.pg-number", {}, nats(entry))), entry.info || note ? h("p.pg-fine", {"data-info": true}, [entry.info, note].filter(Boolean).join(" ")) : "");
  requestAnimationFrame(() => lab.paint(canvas, {logp: entry.logp || null, points: entry.points}));
};

// Answers to older questions are thrown away: somebody has drawn on meanwhile.
const send = async (question, note) => {
  const mine = ++asked;
  const pane = open;
  answer.classList.add("busy");
  const told = await lab.ask("lab_target", question);
  if (mine !== asked || pane !== open) return null;
  answer.classList.remove("busy");
  if (!told.ok) refuse(told.error);
  else if (told.target || told.record) {
    const entry = lab.entry(told.target || told);
    shown(entry, note);
    lab.useTarget(entry);
  }
  return told;
};

const close = () => show(null);
const show = (name) => {
  open = name;
  asked++;
  tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.way === name)));
  const way = lab.OWN.find((one) => one.name === name);
  if (way && !panes.has(name)) panes.set(name, way.make(send, refuse));
  part("[data-own-pane]").replaceChildren(...(way ? [panes.get(name).node] : []));
  answer.hidden = true;
  answer.replaceChildren();
  part("[data-own-body]").hidden = !way;
};
const tabs = lab.OWN.map((way) => h("button.pg-chip", {type: "button", "data-way": way.name, "aria-pressed": "false", onclick: () => show(open === way.name ? null : way.name)}, way.title));
part("[data-own]").append(h("span.lab-own-label", {}, "Your own"), ...tabs);

// An own target that came with the address: its pane shows it.
let known = "";
const adopt = () => {
  const record = lab.state.target || {};
  const now = JSON.stringify(record);
  if (now === known) return;
  known = now;
  const way = lab.OWN.find((one) => one.record && record[one.record]);
  if (!way || open === way.name || !lab.target) return;
  show(way.name);
  panes.get(way.name).restore(record);
  shown(lab.target);
};

let seen = null;
lab.on("facts", drawGallery);
const draw = () => {
  cards.forEach((c) => c.button.setAttribute("aria-pressed", String(c.entry.name === chosen())));
  if (chosen() !== seen) {
    seen = chosen();
    const {button} = cards.find((c) => c.entry.name === seen) || {};
    if (button) gallery.scrollLeft = button.offsetLeft - gallery.offsetLeft - (gallery.clientWidth - button.offsetWidth) / 2;
  }
  line();
  adopt();
};
for (const topic of ["facts", "state"]) lab.on(topic, draw);
new ResizeObserver(() => cards.forEach((c) => c.paint())).observe(gallery);
new MutationObserver(() => cards.forEach((c) => c.paint())).observe(document.body, {attributes: true, attributeFilter: ["class"]});
