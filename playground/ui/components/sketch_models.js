// Models as chips, up to six of them; those that cannot are listed with the reason. Below: what all are asked alike.
const pg = window.playground;
const {sketch} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);

const chip = (m) => h("button.pg-chip", {type: "button", "data-model": m.name, title: m.line, onclick: () => {
  if (!sketch.state.models.includes(m.name) && sketch.state.models.length >= sketch.SLOTS) pg.toast(`At most ${sketch.SLOTS} models answer at a time; take one away first.`);
  else sketch.choose(m.name);
}}, m.title);
const drawChips = () => {
  const {mode, data} = sketch.state;
  part("chips").replaceChildren(...sketch.able(mode, data).map(chip));
  const cannot = sketch.shelf().models.filter((m) => m.data === data && sketch.whyNot(m.name) !== null);
  const others = part("others");
  others.hidden = !cannot.length;
  others.querySelector("summary").textContent = cannot.length === 1 ? "One other cannot" : `${cannot.length} others cannot`;
  others.querySelector("ul").replaceChildren(...cannot.map((m) => h("li", {"data-cannot": m.name}, h("strong", {}, m.title), `: ${sketch.whyNot(m.name)}`)));
};

let rows = [];
let [before, asked] = ["", ""];
const owner = {knob: sketch.knob, turn: sketch.turn, tellState: () => rows.forEach((row) => row.show()), model: sketch.model};
sketch.on("state", () => {
  const {mode, data, models} = sketch.state;
  if (before !== `${mode}/${data}`) drawChips();
  before = `${mode}/${data}`;
  for (const node of part("chips").children) node.setAttribute("aria-pressed", String(models.includes(node.dataset.model)));
  const specs = sketch.specs();
  const now = `${mode}/${JSON.stringify(specs)}`;
  if (now !== asked) {
    asked = now;
    rows = specs.map((spec) => pg.knobRow(spec, owner));
    part("knobs").replaceChildren(...rows.map((row) => row.node));
  }
  rows.forEach((row) => row.show());
});
