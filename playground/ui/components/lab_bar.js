// What is learnt, by whom and with how much; then the race itself: play, pause, step, a timeline, how the panels look.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);
const touch = matchMedia("(hover: none)").matches;
const plain = (n) => n.toLocaleString("en").replace(/,/g, " ");

// ---- fields: a small label over a value
const field = (label, node, props = {}) => h("label.lab-field", props, h("span", {}, label), node);
const pick = (label, key, options, words, take) => {
  const node = h("select", {"aria-label": label, "data-pick": key, onchange: () => take(options_[node.value])});
  let options_ = [];
  const show = (value) => {
    options_ = options.some((one) => pg.same(one, value)) ? options : [...options, value];
    node.replaceChildren(...options_.map((one, i) => h("option", {value: i}, words(one))));
    node.value = options_.findIndex((one) => pg.same(one, value));
  };
  return {node: field(label, node), show: () => show(lab.state[key])};
};

const seconds = (amount) => ({kind: "seconds", amount});
const steps = (amount) => ({kind: "steps", amount});
const budgetWords = ({kind, amount}) => (kind === "seconds" ? `${amount} s each` : `${plain(amount)} steps each`);
const PICKS = [
  pick("Budget", "budget", [...[1, 3, 5, 10, 30].map(seconds), ...[200, 1000, 5000, 20000].map(steps)], budgetWords, (budget) => lab.set({budget})),
  pick("Data", "data", [1000, 2000, 5000, 10000, 20000, 50000, 100000], (n) => `${plain(n)} points`, (data) => lab.turn("data", data)),
  pick("Learning rate", "rate", [0.1, 0.3, 1, 3, 10], (r) => `× ${r}`, (rate) => lab.turn("rate", rate)),
  pick("Width", "width", [null, ...lab.WIDTHS], (w) => (w === null ? "their own" : `${w} units`), (width) => lab.turn("width", width)),
];

const picture = h("canvas", {"aria-hidden": true});
const targetName = h("b");
const targetButton = h("button.lab-field.lab-target-field", {type: "button", "data-choose-target": true, "aria-expanded": "false", onclick: () => choosing(!isChoosing())},
  picture, h("span", {}, "Distribution"), targetName, pg.icon("down"));
const page = () => document.getElementById("pg-lab");
const isChoosing = () => page().classList.contains("lab-choosing");
const choosing = (open) => {
  page().classList.toggle("lab-choosing", open);
  targetButton.setAttribute("aria-expanded", String(open));
  window.dispatchEvent(new Event("resize"));
};

const whoName = h("b");
const whoButton = h("button.lab-field", {type: "button", "data-choose-learners": true, "aria-expanded": "false", onclick: () => {
  part("[data-who]").hidden = !part("[data-who]").hidden;
  whoButton.setAttribute("aria-expanded", String(!part("[data-who]").hidden));
  window.dispatchEvent(new Event("resize"));
}}, h("span", {}, "Models"), whoName, pg.icon("down"));

const seed = h("input", {type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "seed", "data-seed": true,
  onchange: () => (seed.value !== "" && seed.checkValidity() ? lab.set({seed: Number(seed.value)}) : drawSetup())});
const dice = pg.tool("dice", "Another seed", () => lab.set({seed: Math.floor(Math.random() * 100000)}), {"data-dice": true});
const copy = async (text) => {
  try { await navigator.clipboard.writeText(text); } catch { // no clipboard without https: the old way
    const area = h("textarea", {value: text, style: "position:fixed;opacity:0"});
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};
const share = pg.tool("link", "Copy a link to this set-up", async () => {
  const {url, whole} = await lab.link();
  await copy(url);
  pg.toast(whole ? "Link copied" : "Link copied. Your own distribution is too large to be in it.");
}, {"data-share": true});
const more = h("button.lab-field.lab-more", {type: "button", "aria-expanded": "false", onclick: () => {
  const open = part("[data-setup]").classList.toggle("open");
  more.setAttribute("aria-expanded", String(open));
}}, h("span", {}, "Settings"), h("b", {}, ""), pg.icon("down"));
part("[data-setup]").append(targetButton, whoButton, more, ...PICKS.map((one) => one.node), h("div.lab-seed", {}, field("Seed", seed), dice, share));

const drawWho = () => {
  const all = lab.facts.learners;
  const {learners} = lab.state;
  const put = (names) => lab.set({learners: all.map((one) => one.name).filter((name) => names.includes(name))});
  const chips = all.map((one) => h("button.pg-chip", {type: "button", "data-learner": one.name, "aria-pressed": String(learners.includes(one.name)), title: one.line || one.title,
    onclick: () => put(learners.includes(one.name) ? learners.filter((name) => name !== one.name) : [...learners, one.name])}, one.title));
  const set = (words, names) => h("button.pg-link", {type: "button", "data-who-set": words.toLowerCase(), onclick: () => put(names)}, words);
  const dense = all.filter((one) => one.kind && one.kind !== "none").map((one) => one.name);
  part("[data-who]").replaceChildren(h("div.pg-chips", {role: "group", "aria-label": "models that race"}, chips,
    set("All", all.map((one) => one.name)), dense.length ? set("With a density", dense) : null, set("None", [])));
};

// ---- the race
const play = h("button.lab-play", {type: "button", "data-play": true, onclick: () => press()});
const step = pg.tool("step", "One step (.)", () => single(), {"data-step": true});
const again = pg.tool("reset", "Start again", () => lab.start(), {"data-again": true});
const time = h("input.pg-range", {type: "range", min: 0, max: lab.KEPT, step: 1, value: 0, "aria-label": "looking back over the race", "data-time": true,
  oninput: () => back(Number(time.value))});
const said = h("p.lab-said", {role: "status", "data-said": true});
const clock = h("output.lab-clock", {"data-clock": true});
const onward = h("button.pg-chip.lab-onward", {type: "button", "data-onward": true, hidden: true, onclick: () => goOn()}, "Go on from here");
const VIEWS = [["density", "Density"], ["difference", "Difference"], ["samples", "Samples"]];
const views = VIEWS.map(([view, title]) => h("button", {type: "button", "data-view-as": view, onclick: () => lab.set({view})}, title));
const scale = h("div.lab-scale", {"aria-hidden": true});
part("[data-race]").append(play, step, again, said, h("div.lab-time", {}, time, onward, clock), h("div.lab-look", {}, h("div.lab-views", {role: "group", "aria-label": "what the panels show"}, views), scale));

const LABELS = {idle: "Play", starting: "Starting", running: "Pause", paused: "Go on", done: "Go on for as much again", lost: "Play", refused: "Play"};
const changed = () => lab.race.spec && !pg.same(Object.keys(lab.race.spec.learners).sort(), [...lab.state.learners].sort());
let film = 0;
const halt = () => { clearInterval(film); film = 0; };
// What is kept is shown as a film, from where one looks back to; then the race itself goes on, if it was paused.
const replay = () => {
  halt();
  const paused = lab.race.status === "paused";
  film = setInterval(() => {
    if (lab.race.moment === null) { halt(); if (paused) lab.resume(); drawRace(); return; }
    lab.scrub(lab.race.moment + 1);
  }, 110);
  drawRace();
};
const press = () => {
  const {status, id, moment} = lab.race;
  if (film) { halt(); drawRace(); return; }
  if (status === "starting") return;
  if (!id) lab.start();
  else if (status === "running") lab.pause();
  else if (changed()) lab.start();
  else if (moment !== null) replay();
  else if (status === "paused") lab.resume();
  else lab.more();
};
const single = async () => {
  halt();
  if (!lab.race.id) { const begun = await lab.start(); if (begun.ok) await lab.pause(); return; }
  lab.scrub(null);
  lab.step();
};
const back = (i) => {
  halt();
  if (!lab.race.id) return;
  if (lab.race.status === "running") lab.pause();
  lab.scrub(i);
};
const goOn = async () => {
  const answered = await lab.rewind(lab.race.moment);
  if (answered.ok) lab.resume();
};

const span = () => lab.KEPT * lab.race.budgets;
const passed = () => (lab.race.moment === null ? lab.race.progress : lab.race.moment / span()); // of all that was granted
const drawRace = () => {
  const {status, moment, id, error} = lab.race;
  const label = film ? "Pause" : moment !== null ? "Play from here" : LABELS[status] || "Play";
  const wanted = film || status === "running" || status === "starting" ? "pause" : "play";
  if (play.dataset.icon !== wanted) { play.replaceChildren(pg.icon(wanted)); play.dataset.icon = wanted; }
  play.setAttribute("aria-label", label);
  play.title = `${label} (Space)`;
  step.disabled = status === "starting";
  again.hidden = !id;
  const {kind, amount} = (lab.race.spec || lab.state).budget;
  time.max = span();
  time.disabled = !id;
  const at = moment ?? (id ? lab.last() : 0);
  if (document.activeElement !== time || Number(time.value) !== at) time.value = at;
  time.style.setProperty("--filled", `${(100 * at) / span()}%`);
  onward.hidden = moment === null;
  const whole = amount * lab.race.budgets;
  clock.textContent = kind === "seconds" ? `${(passed() * whole).toFixed(1)} of ${whole} s each` : `${plain(Math.round(passed() * whole))} of ${plain(whole)} steps each`;
  element.querySelector(".lab-bar").dataset.status = status;
  const n = lab.state.learners.length;
  said.textContent = lab.problem || error || (!n ? "Choose at least one model." : changed() && status !== "running" ? "Press play to begin again with these models."
    : id || status === "starting" ? "" : `Press play${touch ? "" : ", or Space"}: ${n === 1 ? "one model learns" : `${n} models learn`} this distribution side by side, with ${budgetWords(lab.state.budget).replace(" each", " of training each")}.`);
  part("[data-race]").classList.toggle("lab-saying", Boolean(said.textContent));
};
const drawScale = () => {
  const kind = lab.state.view === "difference" ? "difference" : "density";
  scale.hidden = lab.state.view === "samples";
  scale.replaceChildren(h("span", {}, kind === "density" ? "0" : "too little"), h("i"), h("span", {}, kind === "density" ? "peak of the truth" : "too much"));
  scale.querySelector("i").style.background = `linear-gradient(to right, ${lab.ramp(kind).join(",")})`;
};
const drawSetup = () => {
  if (!lab.facts) return;
  targetName.textContent = lab.target.title;
  requestAnimationFrame(() => lab.paint(picture, {logp: lab.target.logp, points: lab.target.logp ? null : lab.target.points}));
  const {length} = lab.state.learners;
  whoName.textContent = length === lab.facts.learners.length ? `all ${length}` : `${length} of ${lab.facts.learners.length}`;
  PICKS.forEach((one) => one.show());
  more.querySelector("b").textContent = `${budgetWords(lab.state.budget)}, seed ${lab.state.seed}`;
  if (document.activeElement !== seed) seed.value = lab.state.seed;
  views.forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.viewAs === lab.state.view)));
  drawWho();
  drawScale();
};

let chosen = null;
lab.on("state", () => {
  const held = element.contains(document.activeElement) && document.activeElement.dataset.learner;
  if (chosen && lab.state.target.name && !pg.same(chosen, lab.state.target)) choosing(false); // one's own stays open: it is being made
  chosen = lab.state.target;
  drawSetup();
  drawRace();
  if (held) part(`[data-learner="${held}"]`)?.focus();
});
lab.on("facts", drawSetup);
for (const topic of ["race", "kept", "problem"]) lab.on(topic, drawRace);
new MutationObserver(drawSetup).observe(document.body, {attributes: true, attributeFilter: ["class"]});

// ---- the keyboard, wherever nothing else wants the key; a panel's button leaves Space to the race
document.addEventListener("keydown", (event) => {
  if (!lab.facts || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const panel = event.target.closest(".lab-plane");
  const typing = event.target.closest("input, textarea, select, button, a, summary, canvas, [contenteditable], [role=application]");
  if (event.key === "Escape") {
    if (isChoosing()) { choosing(false); targetButton.focus(); } else if (!typing || panel) lab.set({selected: null});
  }
  if (typing && !(panel && event.key === " ")) return;
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); press(); }
  if (event.key === ".") single();
  if (event.key.toLowerCase() === "d") lab.set({view: VIEWS[(VIEWS.findIndex(([view]) => view === lab.state.view) + 1) % VIEWS.length][0]});
  const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (by && lab.race.id) { event.preventDefault(); back((lab.race.moment ?? lab.last()) + by); }
});
