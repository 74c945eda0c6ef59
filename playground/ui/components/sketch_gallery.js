// The gallery: those drawings that suit what is done now.
const pg = window.playground;
const {sketch} = window;
const {paper} = pg;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const SIZE = 144;

const thumb = (start) => {
  const canvas = h("canvas", {width: SIZE, height: SIZE});
  const layer = paper.layer(SIZE, "ink", {canvas, ink: getComputedStyle(document.body).getPropertyValue("--pg-ink"), coloured: true});
  paper.bring(layer, sketch.strokesOf(start));
  return canvas;
};
let before = "";
const draw = () => {
  const now = `${sketch.state.mode}/${sketch.state.data}/${document.body.classList.contains("dark")}`;
  if (now !== before) part("starts").replaceChildren(...sketch.starts().filter(sketch.suits).map((start) => h("button.sk-start", {type: "button", "data-start": start.name,
    title: start.title, "aria-label": `Begin with: ${start.title}`, onclick: () => sketch.begin(start)}, thumb(start))));
  before = now;
  for (const node of part("starts").children) node.setAttribute("aria-pressed", String(node.dataset.start === sketch.state.start));
};
for (const topic of ["state", "paper"]) sketch.on(topic, draw);
new MutationObserver(() => sketch.shelf() && draw()).observe(document.body, {attributes: true, attributeFilter: ["class"]});
sketch.gallery(props.value.starts);
