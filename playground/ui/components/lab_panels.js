// One panel per learner, the truth first. News only marks a panel; once per screen refresh the marked ones are painted.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const grid = element.querySelector("[data-grid]");
const GAP = 10;
const CAPTION = 44; // pixels under a picture
const MARKS = {exact: ["=", "exact", "its own exact log-density"], "lower bound": ["≥", "bound", "a lower bound of its log-density"],
  estimate: ["≈", "estimate", "an estimate of its log-density"], unnormalised: ["∝", "unnormalised", "its log-density up to a constant"], none: ["", "no density", "it has no density"]};
const KL = {exact: "", "lower bound": "≤ ", estimate: "≈ ", unnormalised: "≈ "};

const panels = new Map(); // name -> {node, paint, say}
const marked = new Set();
let waiting = 0;
const mark = (name) => {
  for (const one of name ? [name] : panels.keys()) marked.add(one);
  waiting = waiting || requestAnimationFrame(() => {
    waiting = 0;
    const news = [...marked].map((one) => panels.get(one)).filter(Boolean);
    marked.clear();
    for (const one of news) one.paint(); // all before the first word: a canvas asks how large it is, which words may change
    for (const one of news) one.say();
  });
};

// ---- what is under a panel
const digits = (v) => v.toFixed(Math.abs(v) < 0.0995 ? 3 : 2).replace("-", "−");
const took = (micros) => (micros >= 1000 ? `${(micros / 1000).toFixed(micros < 9950 ? 1 : 0)} ms` : `${Math.round(micros)} µs`);
const figures = (name) => {
  const {numbers = {}, latest} = lab.panels[name] || {};
  const kind = (latest && latest.kind) || (lab.learnerOf(name) || {}).kind;
  const kl = Number.isFinite(numbers.kl) ? ["KL ", h("b", {}, `${KL[kind] || ""}${digits(numbers.kl)}`)]
    : Number.isFinite(numbers.nll) ? ["NLL ", h("b", {}, digits(numbers.nll))]
    : latest && Number.isFinite(numbers.sliced) ? [h("span", {title: "sliced Wasserstein distance to the truth"}, "SW "), h("b", {}, digits(numbers.sliced))] : [];
  const modes = numbers.modes ? h(numbers.modes[0] === numbers.modes[1] ? "span.lab-modes.all" : "span.lab-modes", {title: "modes covered"}, `${numbers.modes[0]}/${numbers.modes[1]}`) : null;
  return [h("span.lab-kl", {"data-kl": numbers.kl ?? ""}, kl), modes, latest && latest.micros ? h("span.lab-micros", {title: "a step of training takes"}, took(latest.micros)) : null];
};
const kindMark = (name) => {
  const {latest} = lab.panels[name] || {};
  const kind = (latest && latest.kind) || (lab.learnerOf(name) || {}).kind || "";
  const [sign, short, words] = MARKS[kind] || ["", "", ""];
  return {kind, sign, short, words};
};

// A moment later: the probe must still see where on the panel the click was, before the panels move.
const choose = (name) => setTimeout(() => {
  const other = name !== lab.state.selected;
  lab.set({selected: name});
  if (other) requestAnimationFrame(reveal);
});
// On a phone the large view stands below the panels: whoever has just chosen one is taken there.
const reveal = () => {
  const large = document.querySelector(".pg-lab-inspector");
  if (!large || large.getBoundingClientRect().top < window.innerHeight - 160) return;
  large.scrollIntoView({block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"});
};
const frame = (name) => {
  const canvas = h("canvas", {"aria-hidden": true});
  const plane = h("button.lab-plane", {type: "button", "data-lab-plane": name, onclick: () => choose(name)}, canvas, h("i.lab-so-far"));
  const title = h("span.lab-name");
  const kind = h("span.lab-kind");
  const line = h("p.lab-figures");
  const close = pg.tool("close", "Close the large view (Esc)", () => lab.set({selected: null}), {class: "pg-tool lab-close", "data-unchoose": true});
  return {canvas, plane, title, kind, line, node: h("figure.lab-panel", {"data-panel": name}, plane, close, h("figcaption", {}, h("p.lab-head", {}, title, kind), line))};
};

const truth = () => {
  const made = frame("truth");
  const paint = () => {
    const {target} = lab;
    lab.paint(made.canvas, {logp: lab.state.view === "samples" ? null : target.logp, points: lab.state.view === "samples" || !target.logp ? target.points : null,
      outline: lab.state.view === "samples" ? target.logp : null});
  };
  const say = () => {
    const {target} = lab;
    made.title.textContent = "The truth";
    made.kind.textContent = target.title;
    made.line.replaceChildren(h("span.lab-kl", {}, ...(Number.isFinite(target.entropy) ? ["H ", h("b", {}, `${target.entropy.toFixed(3)} nats`)] : ["only samples are known"])));
    made.plane.setAttribute("aria-label", `The truth, ${target.title}: look closer`);
  };
  return {node: made.node, paint, say};
};

const learner = (name) => {
  const made = frame(name);
  const bar = made.plane.querySelector(".lab-so-far");
  const paint = () => {
    const {latest} = lab.panels[name] || {};
    const known = lab.target.logp;
    const dense = latest && lab.state.view !== "samples" ? latest.logp : null;
    lab.paint(made.canvas, {logp: dense, points: latest ? (lab.state.view === "difference" && dense ? null : latest.points) : null,
      difference: lab.state.view === "difference" && dense ? known : null, outline: dense ? null : known});
  };
  const say = () => {
    const {latest, note} = lab.panels[name] || {};
    const {kind, sign, short, words} = kindMark(name);
    const title = lab.learnerOf(name).title;
    made.title.textContent = title;
    if (made.kind.dataset.kind !== kind) made.kind.replaceChildren(h("i", {}, sign), h("span", {}, ` ${short}`));
    made.kind.dataset.kind = kind;
    made.kind.title = words;
    made.node.dataset.kind = kind;
    made.node.dataset.step = latest ? latest.step : "";
    made.line.replaceChildren(...(note ? [h("span.lab-note", {role: "status"}, note)] : figures(name).filter(Boolean)));
    made.plane.setAttribute("aria-label", `${title}, ${words || "not begun"}: look closer`);
    bar.style.width = `${100 * (latest ? latest.progress : 0)}%`;
  };
  return {node: made.node, paint, say};
};

// ---- as large as they can be with all in sight
const fit = () => {
  const n = panels.size;
  const room = grid.clientWidth;
  if (!room || !n) return;
  const down = window.innerHeight - (grid.getBoundingClientRect().top + window.scrollY) - 8;
  const tile = (columns) => (room - GAP * (columns - 1)) / columns;
  const choices = room < 560 ? [2] : Array.from({length: 8}, (_, i) => i + 2).filter((c) => tile(c) >= 124 && tile(c) <= 330);
  const fits = (c) => Math.ceil(n / c) * (tile(c) + CAPTION + GAP) - GAP <= down;
  const columns = choices.find(fits) || choices.at(-1) || 2;
  grid.style.setProperty("--columns", columns);
  mark();
};

let shown = "";
const draw = () => {
  if (!lab.facts) return;
  const names = lab.state.learners;
  if (names.join() !== shown || !panels.size) {
    shown = names.join();
    for (const name of [...panels.keys()]) if (name !== "truth" && !names.includes(name)) panels.delete(name);
    if (!panels.has("truth")) panels.set("truth", truth());
    for (const name of names) if (!panels.has(name)) panels.set(name, learner(name));
    const order = ["truth", ...names];
    grid.replaceChildren(...order.map((name) => panels.get(name).node));
    fit();
  }
  document.getElementById("pg-lab").classList.toggle("lab-wide", lab.state.selected === null);
  for (const [name, {node}] of panels) node.toggleAttribute("data-chosen", name === lab.state.selected);
  mark();
};

for (const topic of ["facts", "state", "selected"]) lab.on(topic, draw);
for (const topic of ["frame", "numbers"]) lab.on(topic, (name) => mark(typeof name === "string" ? name : null));
lab.on("race", () => lab.race.status === "idle" && mark());
new ResizeObserver(fit).observe(grid);
window.addEventListener("resize", fit);
new MutationObserver(() => mark()).observe(document.body, {attributes: true, attributeFilter: ["class"]});
