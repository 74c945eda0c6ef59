// One panel for each model: what it draws as it draws it, how far it has come, what it cost, or why it cannot.
const pg = window.playground;
const {sketch} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const PATIENCE = 300; // milliseconds before a bar is shown

// ---- the result as one picture: all canvases of the panel, as they lie
const save = (panel, name) => {
  const canvases = [...panel.querySelectorAll(".pg-views canvas")].filter((canvas) => canvas.width && canvas.getClientRects().length);
  if (!canvases.length) { pg.toast("There is no picture to save yet."); return; }
  const boxes = canvases.map((canvas) => canvas.getBoundingClientRect());
  const [left, top] = ["left", "top"].map((side) => Math.min(...boxes.map((box) => box[side])));
  const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...boxes.map((box) => box[side])));
  const made = h("canvas", {width: Math.ceil(2 * (right - left)), height: Math.ceil(2 * (bottom - top))});
  const context = made.getContext("2d");
  const paper = document.body.classList.contains("pg-paper");
  Object.assign(context, {imageSmoothingEnabled: false, fillStyle: getComputedStyle(document.body).getPropertyValue("--pg-ground")});
  context.fillRect(0, 0, made.width, made.height);
  canvases.forEach((canvas, i) => {
    context.filter = paper && canvas.classList.contains("pg-grey") ? "invert(1)" : "none"; // as it is shown
    context.drawImage(canvas, 2 * (boxes[i].left - left), 2 * (boxes[i].top - top), 2 * boxes[i].width, 2 * boxes[i].height);
  });
  pg.save(`${name}-${sketch.state.mode}-${sketch.state.seed}.png`, made.toDataURL("image/png"));
};

// ---- a panel
const panels = new Map(); // model name -> {node, rows, timer}
const build = (name) => {
  const owner = {knob: (spec) => sketch.ownKnob(name, spec), turn: (key, value) => sketch.turnOwn(name, key, value), model: sketch.model, tellState: () => rows.forEach((row) => row.show())};
  const specs = sketch.ownSpecs(name);
  const rows = specs.map((spec) => pg.knobRow(spec, owner));
  const node = h("article.sk-panel", {"data-panel": name, "data-picture-of": name, "aria-label": sketch.model(name).title},
    h("header", {}, h("h3", {}, sketch.model(name).title), h("span.sk-status", {"data-status-text": true}),
      pg.tool("save", "Save this as PNG", () => save(node, name), {"data-save-panel": true}),
      pg.tool("close", "Take this model away", () => sketch.choose(name), {"data-away": true})),
    h("div.pg-bar", {hidden: true}, h("i")), h("div.pg-views"), h("p.sk-wait", {}),
    rows.length ? h("details.sk-own", {}, h("summary", {}, "Its own knobs"), ...rows.map((row) => row.node)) : null);
  return {node, rows, timer: 0, specs: JSON.stringify(specs)};
};

const STATUS = {held: "waits for your pen", stopped: "stopped", failed: ""};
const status = (slot) => {
  if (slot.status === "done") return pg.seconds(Math.max(...slot.views.map((v) => v.seconds || 0)) || slot.seconds || 0);
  if (slot.status === "running") return slot.progress && performance.now() - slot.begun > PATIENCE ? slot.progress.text || `${slot.progress.done} of ${slot.progress.total}` : "";
  return STATUS[slot.status] || "";
};
const draw = (slot) => {
  const panel = slot && panels.get(slot.name);
  if (!panel) return;
  const {node} = panel;
  const views = node.querySelector(".pg-views");
  const bar = node.querySelector(".pg-bar");
  const late = slot.status === "running" && performance.now() - slot.begun > PATIENCE;
  Object.assign(node.dataset, {status: slot.status, run: slot.run, n: slot.views.length});
  node.querySelector("[data-status-text]").textContent = status(slot);
  bar.hidden = !late;
  bar.classList.toggle("unknown", !slot.progress);
  bar.firstChild.style.width = slot.progress ? `${(100 * slot.progress.done) / Math.max(1, slot.progress.total)}%` : "";
  clearTimeout(panel.timer);
  if (slot.status === "running" && !late) panel.timer = setTimeout(() => draw(slot), PATIENCE);
  node.querySelector(".sk-wait").hidden = slot.views.length > 0;
  node.querySelector(".sk-wait").textContent = late ? "Drawing…" : slot.status === "stopped" ? "Stopped. Draw on, or reroll." : "";
  const titled = (v) => (v.title === sketch.model(slot.name).title ? {...v, title: ""} : v); // the panel says it
  const shown = slot.views.filter((v) => v.key !== "given").map(titled); // what was given is on the paper
  const keys = new Set(shown.map((v) => v.key));
  [...views.children].forEach((frame) => keys.has(frame.dataset.view) || frame.remove());
  shown.forEach((view) => pg.drawView(views, view, false));
  views.classList.toggle("stale", slot.stale && slot.status === "running" && late);
};
const all = () => {
  const {models} = sketch.state;
  const blank = sketch.blank();
  part("empty").hidden = !blank;
  part("panels").hidden = blank;
  for (const [name, panel] of panels) if (!models.includes(name) || panel.specs !== JSON.stringify(sketch.ownSpecs(name))) { clearTimeout(panel.timer); panel.node.remove(); panels.delete(name); }
  models.forEach((name, i) => {
    if (!panels.has(name)) panels.set(name, build(name));
    const panel = panels.get(name);
    if (part("panels").children[i] !== panel.node) part("panels").insertBefore(panel.node, part("panels").children[i] || null);
    panel.rows.forEach((row) => row.show());
    draw(sketch.slotOf(name));
  });
};
sketch.on("state", all);
sketch.on("slots", all);
sketch.on("slot", draw);
let wide = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === wide) return;
  wide = window.innerWidth;
  for (const slot of sketch.slots) { const panel = panels.get(slot.name); if (panel) slot.views.filter((v) => v.key !== "given").forEach((view) => pg.drawView(panel.node.querySelector(".pg-views"), view, true)); }
});
