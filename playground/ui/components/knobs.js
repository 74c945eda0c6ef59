// Controls are drawn from the specs that the server read out of signatures; a new knob needs no line here.
const pg = window.playground;
const {h} = pg;
const form = element.querySelector("form");
const go = element.querySelector("[data-go]");

// ---- the seed
const number = h("input.pg-number-box", {type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "seed", "data-seed": true,
  onchange: () => number.value !== "" && number.checkValidity() && pg.set({seed: Number(number.value)})});
const dice = pg.tool("dice", "New seed (R)", () => pg.newSeed(), {"data-dice": true});
const lock = pg.tool("unlock", "Keep this seed", () => pg.set({locked: !pg.state.locked, fresh: pg.state.fresh}), {"data-lock": true});
const share = pg.tool("link", "Copy a link to exactly this", () => copy(pg.link()), {"data-share": true});
element.querySelector(".pg-seed").append(h("label", {}, h("span.pg-knob-name", {}, "Seed"), number), dice, lock, share);

const copy = async (text) => {
  try { await navigator.clipboard.writeText(text); } catch { // no clipboard without https: the old way
    const box = h("textarea", {value: text, style: "position:fixed;opacity:0"});
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  const picture = pg.specs().some((s) => pg.pictured(s) && pg.knob(s));
  pg.toast(picture ? "Link copied. Your own picture is not in it." : "Link copied");
};

const drawSeed = () => {
  if (document.activeElement !== number) number.value = pg.state.seed;
  lock.replaceChildren(pg.icon(pg.state.locked ? "lock" : "unlock"));
  lock.setAttribute("aria-pressed", String(pg.state.locked));
  lock.title = pg.state.locked ? "This seed is kept: every run is the same" : "Keep this seed";
};

// ---- one control per kind of knob: a function from the spec to a node and a way to set what it shows
const slider = (spec) => {
  const props = {min: spec.low, max: spec.high, step: Number.isInteger(spec.step) ? spec.step : "any"};
  const range = h("input.pg-range", {type: "range", ...props, step: spec.step, "aria-label": pg.words(spec.name), oninput: () => turn(range)});
  const box = h("input.pg-number-box", {type: "number", ...props, "aria-label": `${pg.words(spec.name)}, as a number`, onchange: () => turn(box)});
  const turn = (from) => { if (from.value !== "" && from.checkValidity()) pg.turn(spec.name, Number(from.value)); else pg.tellState(); };
  const show = (value) => {
    range.value = value;
    if (document.activeElement !== box) box.value = value;
    range.style.setProperty("--filled", `${(100 * (value - spec.low)) / (spec.high - spec.low || 1)}%`);
  };
  return {node: h("div.pg-slider", {}, range, box), show};
};

const chips = (spec) => {
  const buttons = spec.options.map((option) => h("button.pg-chip", {type: "button", "data-option": option, onclick: () => pg.turn(spec.name, option)}, option));
  const node = h("div.pg-chips", {role: "group", "aria-label": pg.words(spec.name)}, buttons);
  return {node, show: (value) => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.option === value)))};
};

const select = (spec) => {
  const node = h("select.pg-select", {"aria-label": pg.words(spec.name), onchange: () => pg.turn(spec.name, node.value)},
    spec.options.map((option) => h("option", {value: option}, option)));
  return {node, show: (value) => { node.value = value; }};
};

const toggle = (spec) => {
  const node = h("button.pg-switch", {type: "button", role: "switch", "aria-label": pg.words(spec.name), onclick: () => pg.turn(spec.name, !pg.knob(spec))});
  return {node, show: (value) => node.setAttribute("aria-checked", String(Boolean(value)))};
};

const others = (spec) => {
  const chosen = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  const rows = spec.options.map((name) => h("label.pg-check", {}, h("input", {type: "checkbox", value: name,
    onchange: () => pg.turn(spec.name, chosen())}), h("span", {}, (pg.model(name) || {}).title || name)));
  const node = h("div", {role: "group", "aria-label": pg.words(spec.name)}, rows);
  const show = (value) => node.querySelectorAll("input").forEach((box) => {
    box.checked = value.includes(box.value);
    box.disabled = !box.checked && value.length >= spec.most;
  });
  return {node, show};
};

const CONTROLS = {Slider: slider, Label: chips, Toggle: toggle, Others: others, Picture: (spec) => pg.pictureKnob(spec), Drawing: (spec) => pg.drawingKnob(spec),
  Choice: (spec) => (spec.options.join("").length <= 30 ? chips : select)(spec)};

// A one-letter name is a number of things, and its help says of which.
const titled = (spec) => (spec.name.length > 1 ? pg.words(spec.name) : "How many");

const row = (spec) => {
  const control = CONTROLS[spec.knob](spec);
  const reset = h("button.pg-reset", {type: "button", "aria-label": `${pg.words(spec.name)}: back to the default`, title: "back to the default",
    onclick: () => pg.turn(spec.name, undefined)}, pg.icon("reset"));
  const node = h("div.pg-knob", {"data-knob": spec.name, "data-kind": spec.knob},
    h("div.pg-knob-head", {}, h("span.pg-knob-name", {}, titled(spec)), reset), control.node, spec.help ? h("p.pg-fine", {}, spec.help) : null);
  const show = () => {
    reset.classList.toggle("on", !pg.same(pg.knob(spec), spec.default));
    control.show(pg.knob(spec));
  };
  return {node, show};
};

// ---- all of them
let rows = [];
let before = "";
const draw = () => {
  const specs = pg.specs();
  const own = specs.filter((spec) => spec.own);
  rows = specs.map(row);
  const nodes = rows.map((r) => r.node);
  const heading = own.length ? [h("h2.pg-own", {}, `${pg.model().family_title}'s own`)] : [];
  element.querySelector("[data-knobs]").replaceChildren(...nodes.slice(0, specs.length - own.length), ...heading, ...nodes.slice(specs.length - own.length));
};
const doing = () => (pg.activity() && pg.activity().title) || pg.words(pg.state.activity || "generate");

pg.on("state", () => {
  const now = `${pg.state.model}/${pg.state.activity}`;
  if (now !== before) draw();
  before = now;
  rows.forEach((r) => r.show());
  drawSeed();
});
const drawGo = () => {
  const reason = pg.shelf() ? pg.whyNot() : "";
  go.disabled = reason !== null;
  go.title = reason ? `Not with this model: ${reason}` : "Enter";
  go.textContent = pg.shelf() ? doing() : "Generate";
};
pg.on("state", drawGo);

form.addEventListener("submit", (event) => { event.preventDefault(); document.activeElement?.blur?.(); pg.run(); });

// ---- the keyboard, wherever nothing else wants the key
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") pg.cancel();
  const typing = event.target.closest("input, textarea, select, button, a, summary, [contenteditable]");
  if (typing) return;
  const film = document.querySelector(".pg-view[data-kind=Film]");
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pg.run(); }
  if (event.key.toLowerCase() === "r") pg.newSeed();
  if (event.key === "ArrowLeft" && film) { event.preventDefault(); film.film.step(-1); }
  if (event.key === "ArrowRight" && film) { event.preventDefault(); film.film.step(1); }
});
