// Paper under the pen: ink is there in the very event of the pen's move. What the strokes mean is the store's business.
const pg = window.playground;
const {sketch} = window;
const {paper} = pg;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const [sheet, canvas, masked, ghost, cursor] = ["sheet", "ink", "mask", "ghost", "cursor"].map(part);
const CLOSE = 6; // of 4096: nearer points say nothing new
const PALM = 800; // milliseconds after a pen in which a touch is the hand that holds it

// ---- what is on the paper
let layers = {};
const style = (name) => getComputedStyle(sheet).getPropertyValue(name).trim();
const coloured = () => sketch.shape().channels === 3;
const anew = () => {
  const size = Math.round(sheet.clientWidth * (window.devicePixelRatio || 1));
  if (!size || !sketch.shelf()) return;
  sheet.classList.toggle("sk-white", coloured());
  layers = {ink: paper.layer(size, "ink", {canvas, ink: style("--sk-ink"), coloured: coloured(), crisp: true}),
    mask: paper.layer(size, "mask", {canvas: masked, ink: style("--sk-shade"), crisp: true})};
  draw();
};
const draw = () => {
  if (!layers.ink) { anew(); return; }
  const strokes = sketch.book().strokes();
  for (const layer of Object.values(layers)) paper.bring(layer, strokes);
  part("hint").hidden = strokes.length > 0;
  see();
};

// What is not given to the model: a share of the paper, or what the brush has covered.
const HALVES = {"lower half": [0, 0.5, 1, 0.5], "upper half": [0, 0, 1, 0.5], "left half": [0, 0, 0.5, 1], "right half": [0.5, 0, 0.5, 1]};
const cover = () => {
  const half = HALVES[sketch.hidden()];
  const box = part("hidden");
  box.hidden = !half;
  masked.hidden = sketch.hidden() !== "brushed";
  if (half) Object.assign(box.style, Object.fromEntries(["left", "top", "width", "height"].map((name, i) => [name, `${100 * half[i]}%`])));
};
// The ghost: the paper at the data's own size, what is hidden shaded.
const see = () => {
  const {side, channels, strokes} = sketch.shape();
  element.querySelector(".sk-ghost").hidden = strokes; // that model sees the pen, not the paper
  pg.paint(ghost, sketch.book().ink(side, channels));
  const context = ghost.getContext("2d");
  context.fillStyle = "rgba(128, 128, 128, 0.55)";
  const half = HALVES[sketch.hidden()];
  if (half) context.fillRect(...half.map((share) => Math.round(share * side)));
  if (sketch.hidden() === "brushed") sketch.book().mask(side).data.forEach((v, i) => v && context.fillRect(i % side, Math.floor(i / side), 1, 1));
  part("ghost-text").textContent = `as the model sees it: ${side} × ${side}`;
};

// ---- the pen
let live = null; // {id, stroke, box}: a stroke on its way
let penned = -Infinity;
const [nearly, where] = [(a, b) => Math.abs(a) + Math.abs(b) < CLOSE, (at, low, long) => Math.round(((at - low) / long) * paper.UNIT - 0.5)];
const most = (v) => Math.max(-paper.UNIT / 2, Math.min(1.5 * paper.UNIT, v)); // a hand may leave the paper, not the address
const begin = (tool) => {
  sketch.hold();
  const {state} = sketch;
  const rubber = tool || state.tool;
  const stroke = {tool: rubber, width: rubber === "pen" ? state.width : Math.min(128, 2 * state.width), colour: rubber === "pen" && coloured() ? state.colour : 0, at: []};
  part("hint").hidden = true;
  return stroke;
};
const extend = (stroke, x, y, pressure) => {
  const {at} = stroke;
  const n = at.length / 3;
  if (n && nearly(at[3 * n - 3] - x, at[3 * n - 2] - y)) return;
  at.push(x, y, pressure);
  const layer = layers[["hide", "show"].includes(stroke.tool) ? "mask" : "ink"];
  paper.dress(layer, stroke);
  paper.trace(layer.context, layer.size, stroke, n);
};
const follow = (event) => {
  const {stroke, box} = live;
  const pressed = event.pointerType === "pen" && event.pressure > 0 ? Math.max(1, Math.round(15 * event.pressure)) : 0;
  extend(stroke, most(where(event.clientX, box.left, box.width)), most(where(event.clientY, box.top, box.height)), pressed);
};
canvas.addEventListener("pointerdown", (event) => {
  if (live || event.button > 0 && event.buttons !== 32 || !layers.ink) return;
  if (event.pointerType === "pen") penned = performance.now();
  if (event.pointerType === "touch" && performance.now() - penned < PALM) return;
  event.preventDefault();
  canvas.focus({preventScroll: true});
  canvas.setPointerCapture(event.pointerId);
  live = {id: event.pointerId, box: canvas.getBoundingClientRect(), stroke: begin(event.buttons === 32 ? "eraser" : null)}; // 32: the other end of a pen
  follow(event);
});
canvas.addEventListener("pointermove", (event) => {
  ring(event);
  if (!live || event.pointerId !== live.id) return;
  if (event.pointerType === "pen") penned = performance.now();
  const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  (between.length ? between : [event]).forEach(follow);
});
const lift = (event) => {
  if (!live || event.pointerId !== live.id) return;
  const {stroke} = live;
  live = null;
  finish(stroke);
};
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, lift);
const finish = (stroke) => { if (stroke.at.length) sketch.draw(stroke); };

// The ring says how wide the pen is, and where the keyboard's is.
const ring = ({clientX, clientY, pointerType}) => {
  if (pointerType === "touch") { cursor.hidden = true; return; }
  const box = canvas.getBoundingClientRect();
  encircle((clientX - box.left) / box.width, (clientY - box.top) / box.height);
};
const encircle = (x, y) => {
  const {tool, width} = sketch.state;
  const size = Math.max(6, ((tool === "pen" ? width : Math.min(128, 2 * width)) / 256) * sheet.clientWidth);
  cursor.hidden = false;
  Object.assign(cursor.style, {width: `${size}px`, height: `${size}px`, transform: `translate(${x * sheet.clientWidth - size / 2}px, ${y * sheet.clientWidth - size / 2}px)`});
};
canvas.addEventListener("pointerleave", () => { cursor.hidden = document.activeElement !== canvas || !keyed.used; });

// ---- the keyboard
const STEP = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const keyed = {x: paper.UNIT / 2, y: paper.UNIT / 2, stroke: null, used: false};
const raise = () => { if (keyed.stroke) { const {stroke} = keyed; keyed.stroke = null; finish(stroke); } };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !layers.ink) return;
  if (STEP[event.key]) {
    const far = (paper.UNIT / 32) * (event.shiftKey ? 4 : 1);
    keyed.x = Math.max(0, Math.min(paper.UNIT - 1, keyed.x + far * STEP[event.key][0]));
    keyed.y = Math.max(0, Math.min(paper.UNIT - 1, keyed.y + far * STEP[event.key][1]));
    if (keyed.stroke) extend(keyed.stroke, Math.round(keyed.x), Math.round(keyed.y), 0);
  } else if (event.key === " " && keyed.stroke) raise();
  else if (event.key === " ") { keyed.stroke = begin(null); extend(keyed.stroke, Math.round(keyed.x), Math.round(keyed.y), 0); } else return;
  keyed.used = true;
  event.preventDefault();
  encircle(keyed.x / paper.UNIT, keyed.y / paper.UNIT);
});
canvas.addEventListener("blur", () => { raise(); cursor.hidden = true; });
document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, [contenteditable]") || !sketch.shelf()) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) { event.preventDefault(); raise(); sketch.act(key === "y" || event.shiftKey ? "redo" : "undo"); }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") sketch.cancel();
  if (key === "r") sketch.reroll();
  if (key === "p" || key === "e") sketch.hand({tool: key === "p" ? "pen" : "eraser"});
  if (key === "h" && hides()) hide();
});

// ---- a picture from outside, or a saved drawing
const take = async (file) => {
  if (!file) return;
  sketch.hold();
  try {
    if (file.type === "image/svg+xml") {
      const strokes = await pg.sketching.ofSvg(await file.text());
      if (!strokes) { pg.toast("That SVG was not drawn here; send a PNG, JPEG, WebP or GIF."); return; }
      [{tool: "clear"}, ...strokes].forEach((stroke) => sketch.book().add(stroke));
    } else sketch.book().add(await paper.imported(file, coloured()));
  } catch { pg.toast("That file is not a picture this browser can read: send a PNG, JPEG, WebP or GIF."); return; }
  sketch.changed();
  if (sketch.inkless()) pg.toast("Nothing stands out in that picture: use dark strokes on light paper, or light on dark.");
};
const chooser = h("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif,image/svg+xml", hidden: true, "aria-label": "a picture of yours", "data-file": true,
  onchange: () => { take(chooser.files[0]); chooser.value = ""; }});
for (const name of ["dragover", "dragleave", "drop"]) sheet.addEventListener(name, (event) => {
  event.preventDefault();
  sheet.classList.toggle("over", name === "dragover");
  if (name === "drop") take(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => take([...(event.clipboardData ? event.clipboardData.files : [])].find((file) => file.type.startsWith("image/"))));

const ground = () => (coloured() ? "#ffffff" : style("--sk-ground"));
const save = async (kind) => {
  const ink = coloured() ? "#1b1d22" : style("--sk-ink");
  if (kind === "svg") { pg.save("sketch.svg", `data:image/svg+xml,${encodeURIComponent(await pg.sketching.svg(sketch.book().strokes(), ink, ground()))}`); return; }
  const made = paper.bring(paper.layer(1024, "ink", {ink, coloured: coloured()}), sketch.book().strokes());
  Object.assign(made.context, {globalCompositeOperation: "destination-over", fillStyle: ground()});
  made.context.fillRect(0, 0, 1024, 1024);
  pg.save("sketch.png", made.canvas.toDataURL("image/png"));
};

// ---- the tools
const hides = () => sketch.specs().some((s) => s.name === "hide" && s.options.includes("brushed"));
const hide = (tool = "hide") => { sketch.hand({tool}); if (sketch.hidden() !== "brushed") sketch.turn("hide", "brushed"); };
const tools = {
  pen: pg.tool("pen", "Pen (P)", () => sketch.hand({tool: "pen"}), {"data-tool": "pen"}),
  eraser: pg.tool("eraser", "Eraser (E)", () => sketch.hand({tool: "eraser"}), {"data-tool": "eraser"}),
  hide: pg.tool("hide", "Hide: brush over what the models shall draw anew (H)", () => hide(), {"data-tool": "hide"}),
  show: pg.tool("show", "Show: take away from what is hidden", () => hide("show"), {"data-tool": "show"}),
};
const acts = {
  undo: pg.tool("undo", "Take back (Ctrl Z)", () => sketch.act("undo"), {"data-act": "undo"}),
  redo: pg.tool("redo", "Bring back (Ctrl Shift Z)", () => sketch.act("redo"), {"data-act": "redo"}),
  clear: pg.tool("bin", "Clear the paper; it can be taken back", () => { sketch.hold(); sketch.draw({tool: "clear"}); }, {"data-act": "clear"}),
};
const gap = () => h("span.sk-gap");
part("tools").append(...Object.values(tools), gap(), ...Object.values(acts), gap(), pg.tool("picture", "Lay a picture on the paper: choose, drop or paste one", () => chooser.click(), {"data-import": true}),
  h("button.pg-link", {type: "button", "data-save": "png", title: "Save the drawing as PNG", onclick: () => save("png")}, "PNG"),
  h("button.pg-link", {type: "button", "data-save": "svg", title: "Save the drawing as SVG: dropped here again, it is the same strokes", onclick: () => save("svg")}, "SVG"), chooser);
const width = h("input.pg-range", {type: "range", min: 4, max: 64, step: 1, "aria-label": "Width of the pen", "data-width": true, oninput: () => sketch.hand({width: Number(width.value)})});
const colours = h("div.sk-colours", {role: "group", "aria-label": "colour"}, paper.PALETTE.map((colour, i) => h("button.sk-colour", {type: "button", "data-colour": i, style: `--c:${colour || "#1b1d22"}`,
  "aria-label": ["ink", "red", "orange", "yellow", "green", "blue", "violet", "brown", "grey", "white"][i], onclick: () => sketch.hand({colour: i, tool: "pen"})})));
part("brush").append(h("label.sk-width", {}, h("span.pg-fine", {}, "Width"), width));
part("colours").append(colours);

const tooled = () => {
  const {state} = sketch;
  const can = sketch.book().can();
  for (const [name, node] of Object.entries(tools)) node.setAttribute("aria-pressed", String(state.tool === name));
  tools.hide.hidden = !hides();
  tools.show.hidden = !hides() || sketch.hidden() !== "brushed";
  acts.undo.disabled = !can.undo;
  acts.redo.disabled = !can.redo;
  width.value = state.width;
  width.style.setProperty("--filled", `${(100 * (state.width - 4)) / 60}%`);
  colours.hidden = !coloured();
  colours.querySelectorAll("button").forEach((node, i) => node.setAttribute("aria-pressed", String(i === state.colour)));
};
const sheets = () => {
  const box = part("sheets");
  box.hidden = sketch.sheets() < 2;
  box.replaceChildren(...["First drawing", "Second drawing"].map((name, i) => h("button.pg-chip", {type: "button", "data-turn": i, "aria-pressed": String(sketch.state.sheet === i), onclick: () => sketch.turnTo(i)}, name)));
};

// ---- news
let before = "";
sketch.on("state", () => {
  const {tool} = sketch.state;
  if (["hide", "show"].includes(tool) && sketch.hidden() !== "brushed") sketch.state.tool = "pen";
  cover();
  sheets();
  tooled();
  if (sketch.state.data !== before) { before = sketch.state.data; anew(); } else if (layers.ink) see();
});
sketch.on("hand", tooled);
sketch.on("paper", () => { draw(); tooled(); });
new ResizeObserver(anew).observe(sheet);
new MutationObserver(anew).observe(document.body, {attributes: true, attributeFilter: ["class"]});
