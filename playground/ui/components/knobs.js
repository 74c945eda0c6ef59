// The seed, the knobs of what is done, and the keys; the controls themselves are in shared/controls.js.
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

// ---- all of them
let rows = [];
let before = "";
const draw = () => {
  const specs = pg.specs();
  const own = specs.filter((spec) => spec.own);
  rows = specs.map((spec) => pg.knobRow(spec));
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
