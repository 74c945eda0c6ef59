// What is done, as a row of words; the data as chips; the seed; the link to all of it.
const pg = window.playground;
const {sketch} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);

const none = (doing) => {
  const reasons = [...new Set(sketch.shelf().models.map((m) => sketch.whyNot(m.name, doing.name)))];
  return `No model on this shelf can: ${reasons[0] || "there is none"}.`;
};
const explain = (doing) => { part("help").textContent = sketch.able(doing.name).length ? doing.help : none(doing); };
const now = () => sketch.modes().find((m) => m.name === sketch.state.mode);
const tab = (doing) => {
  const can = sketch.able(doing.name).length > 0;
  return h(can ? "button.pg-tab" : "button.pg-tab.pg-cannot", {type: "button", "data-mode": doing.name, "aria-pressed": String(doing.name === sketch.state.mode),
    "aria-disabled": String(!can), title: can ? doing.help : none(doing), onclick: () => (can ? doing.name === sketch.state.mode || sketch.set({mode: doing.name}) : pg.toast(none(doing))),
    onmouseenter: () => explain(doing), onfocus: () => explain(doing), onmouseleave: () => explain(now()), onblur: () => explain(now())}, doing.title);
};

const number = h("input.pg-number-box", {type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "seed", "data-seed": true,
  onchange: () => number.value !== "" && number.checkValidity() && sketch.set({seed: Number(number.value)})});
const copy = async () => {
  const made = await sketch.link();
  if (!made.whole) { pg.toast(`This drawing is too long for a link (${made.letters.toLocaleString("en")} letters). Save it as SVG: dropped on the paper, it is the same drawing again.`); return; }
  try { await navigator.clipboard.writeText(made.url); pg.toast("The link is copied, your strokes are in it."); } catch { pg.toast("This browser does not let pages copy; the address bar holds the link."); }
};
const seed = h("div.sk-seed", {}, h("label.lt-field", {}, "Seed", number), pg.tool("dice", "Reroll: another seed (R)", () => sketch.reroll(), {"data-dice": true}),
  pg.tool("link", "Copy a link to exactly this, strokes included", copy, {"data-share": true}));
const data = h("div.pg-chips", {role: "group", "aria-label": "data set"});

let before = "";
sketch.on("state", () => {
  const {state} = sketch;
  if (part("choices").firstChild !== data) part("choices").replaceChildren(data, seed);
  if (document.activeElement !== number) number.value = state.seed;
  if (before === `${state.mode}/${state.data}`) return;
  before = `${state.mode}/${state.data}`;
  const held = element.contains(document.activeElement) && document.activeElement.dataset;
  part("modes").replaceChildren(...sketch.modes().map(tab));
  data.replaceChildren(...sketch.datasets().map((d) => h("button.pg-chip", {type: "button", "data-dataset": d.name, "aria-pressed": String(d.name === state.data), title: d.line,
    onclick: () => d.name === state.data || sketch.set({data: d.name})}, d.title)));
  explain(now());
  if (held && held.mode) part("modes").querySelector(`[data-mode="${held.mode}"]`)?.focus();
  if (held && held.dataset) data.querySelector(`[data-dataset="${held.dataset}"]`)?.focus();
});
sketch.on("none", () => part("modes").replaceChildren(h("p.pg-waiting", {}, "No model on this shelf can draw from a sketch yet: run  python -m playground.train NAME.")));
