// One point of the plane under every model. While it moves, values are read off the panels' maps; when it rests, asked for.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);
const STEP = 0.1; // how far an arrow key moves the point; with Shift five times as far
const AGAIN = 700; // ms between two questions while the race goes on
let point = null;
let answered = null; // the server's last answer, for which point and which snapshot, and whether a better one is on its way
let asking = 0;

// ---- where
const box = (axis) => h("input.pg-number-box", {type: "number", min: -lab.HALF, max: lab.HALF, step: STEP, placeholder: "–", "aria-label": axis, "data-axis": axis,
  onchange: () => typed()});
const [boxX, boxY] = [box("x"), box("y")];
const typed = () => {
  const [x, y] = [Number(boxX.value), Number(boxY.value)];
  if (boxX.value !== "" && boxY.value !== "" && Number.isFinite(x) && Number.isFinite(y)) move(x, y);
};
part("[data-where]").append(h("label", {}, "x", boxX), h("label", {}, "y", boxY));
const copier = h("button.pg-link", {type: "button", "data-copy": true, onclick: () => copy()}, "Copy the table");
const clearer = pg.tool("close", "Put the probe away", () => clear(), {"data-clear": true});
part("[data-tools]").append(copier, clearer);

const clamp = (v) => Math.round(1000 * Math.max(-lab.HALF, Math.min(lab.HALF, v))) / 1000;
const move = (x, y) => {
  point = [clamp(x), clamp(y)];
  lab.remember(point);
  document.body.style.setProperty("--probe-x", `${(100 * (point[0] + lab.HALF)) / (2 * lab.HALF)}%`);
  document.body.style.setProperty("--probe-y", `${(100 * (lab.HALF - point[1])) / (2 * lab.HALF)}%`);
  document.body.classList.add("pg-lab-probed");
  draw();
  later(60);
};
const clear = () => {
  [point, answered] = [null, null];
  lab.remember(null);
  clearTimeout(asking);
  document.body.classList.remove("pg-lab-probed");
  document.querySelectorAll("[data-lab-plane]").forEach((plane) => plane.removeAttribute("data-probe"));
  draw();
};

// ---- clicked, dragged with a mouse, tapped; or moved by the arrow keys of a panel that has the focus
const place = (plane, event) => {
  const r = (plane.querySelector("canvas") || plane).getBoundingClientRect();
  move(((event.clientX - r.left) / r.width - 0.5) * 2 * lab.HALF, (0.5 - (event.clientY - r.top) / r.height) * 2 * lab.HALF);
};
const planeOf = (event) => (event.target instanceof Element && !event.target.closest("[data-start]") ? event.target.closest("[data-lab-plane]") : null);
let dragged = null;
document.addEventListener("pointerdown", (event) => { dragged = event.pointerType === "mouse" && event.button === 0 ? planeOf(event) : null; });
document.addEventListener("pointermove", (event) => { if (dragged && event.buttons === 1 && point) place(dragged, event); });
document.addEventListener("pointerup", () => { dragged = null; });
document.addEventListener("click", (event) => {
  const plane = planeOf(event);
  if (plane && event.detail > 0) place(plane, event); // a click by keyboard has no place
}, true); // before the panel is chosen and the grid makes room
document.addEventListener("keydown", (event) => {
  const plane = planeOf(event);
  const way = lab.ARROWS[event.key];
  if (!plane || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!way) return;
  event.preventDefault();
  event.stopPropagation();
  const by = event.shiftKey ? 5 * STEP : STEP;
  const [x, y] = point || [0, 0];
  move(x + by * way[0], y + by * way[1]);
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && point && !document.querySelector("dialog[open]")) clear();
});

// ---- what the models say
// At rest the first answer comes from fewer steps of the slow ones, the second is the exact one; while all learn the first will do.
const ask = lab.pump(async (at) => {
  const kept = moment();
  const rough = lab.race.status === "running" && kept === null;
  for (const quick of rough ? [true] : [true, false]) {
    if (!at || !lab.race.id) return;
    const told = await lab.ask("lab_probe", {race: lab.race.id, question: {what: "log_prob", points: [at], kept, quick}});
    if (at !== point || kept !== moment()) return; // it has moved on
    part("[data-problem]").textContent = told.ok ? "" : told.error;
    if (!told.ok) break;
    answered = {at, kept, told, better: quick && !rough};
    draw();
  }
});
const later = (ms) => {
  clearTimeout(asking);
  asking = setTimeout(() => { asking = 0; ask(point); }, ms);
};

const moment = () => lab.race.moment ?? null; // of the race that somebody looks back at
const fits = () => answered && answered.at === point && answered.kept === moment();
const onMap = (logp) => (logp ? logp[lab.cell(...point)] : null);
const exactly = (learner, entry) => ({value: entry.value ? entry.value[0] : null, stderr: entry.stderr ? entry.stderr[0] : null, kind: entry.kind, near: answered.better && learner.heavy, ...(answered.better && learner.heavy && {stderr: null})});
// Each learner's value: the server's for this very point, else its map's, else why there is none.
const row = (learner) => {
  const told = fits() && answered.told.learners[learner.name];
  const frame = (lab.panels[learner.name] || {}).latest;
  const reason = learner.fits.density;
  if (reason) return {learner, value: null, kind: "none", reason};
  if (told && told.value) return {learner, ...exactly(learner, told)};
  return {learner, value: frame ? onMap(frame.logp) : null, kind: learner.kind, stderr: null, near: true, reason: frame ? "" : "after its first frame"};
};
const truth = () => {
  if (!lab.target || lab.target.known === false) return null;
  const told = fits() && answered.told.true;
  return told ? {value: told[0], near: false} : {value: onMap(lab.target.logp), near: true};
};

// ---- the table
const signed = (v, digits = 3) => (v === null || v === undefined || Number.isNaN(v) ? "–" : v === Infinity ? "∞" : v === -Infinity ? "−∞" : `${v < 0 ? "−" : ""}${Math.abs(v).toFixed(digits)}`);
const gapOf = (r, true_) => (true_ && Number.isFinite(true_.value) && Number.isFinite(r.value) ? r.value - true_.value : null);

const bar = (gap, most) => {
  const share = Math.min(1, Math.abs(gap) / most);
  const node = h("span.pg-lab-gap", {"data-gap": gap < 0 ? "low" : "high", "aria-hidden": true}, h("i"));
  node.style.setProperty("--part", share);
  return node;
};
const line = (r, most) => h("tr", {"data-row": r.learner.name, class: r.value === null ? "pg-lab-none" : null},
  h("th", {scope: "row"}, r.learner.title),
  h("td.pg-number", {title: Number.isFinite(r.value) ? `p = ${pg.number(Number(Math.exp(r.value).toPrecision(3)))}` : null},
    r.value === null ? "–" : `${r.near ? "≈ " : ""}${signed(r.value, r.near ? 1 : 3)}`, r.stderr ? h("small", {}, ` ± ${pg.number(Number(r.stderr.toPrecision(2)))}`) : null),
  r.value === null ? h("td.pg-lab-why", {colspan: 2}, r.reason) : h("td", {}, r.kind),
  r.value === null ? null : h("td.pg-number", {}, r.gap === null ? "–" : [bar(r.gap, most), `${r.gap > 0 ? "+" : ""}${signed(r.gap, r.near ? 1 : 3)}`]));
const first = (true_) => h("tr.pg-lab-truth", {"data-row": "truth"}, h("th", {scope: "row"}, "The truth"),
  true_ ? h("td.pg-number", {}, `${true_.near ? "≈ " : ""}${signed(true_.value, true_.near ? 1 : 3)}`) : h("td", {}, "–"),
  h("td.pg-lab-why", {colspan: 2}, true_ ? "exact" : "unknown: only samples are known"));

// The value in the corner of every panel, on the side of the colour of its difference.
const label = (name, r) => document.querySelectorAll(`[data-lab-plane="${name}"]`).forEach((plane) => {
  const text = !r || r.value === null ? "no density" : `${r.near ? "≈ " : ""}${signed(r.value, r.near ? 1 : 2)}`;
  plane.dataset.probe = r && r.value === null && !r.reason ? "unknown" : text;
  plane.dataset.side = r && r.gap ? (r.gap < 0 ? "low" : "high") : "";
});

// Nearest to the truth first; where that is unknown, the most probable first; last what has no density.
const rows = () => {
  const true_ = truth();
  const all = lab.facts.learners.filter((l) => lab.state.learners.includes(l.name)).map(row).map((r) => ({...r, gap: gapOf(r, true_)}));
  const key = (r) => (r.value === null ? Infinity : r.gap === null ? (true_ ? 1e9 : -r.value) : Math.abs(r.gap));
  return {true_, all: all.sort((a, b) => key(a) - key(b) || 0)};
};

let held = 0;
const draw = () => {
  if (!lab.facts) return;
  cancelAnimationFrame(held);
  held = requestAnimationFrame(paint);
};
const paint = () => {
  part("[data-empty]").hidden = Boolean(point);
  part("[data-answer]").hidden = !point;
  copier.hidden = clearer.hidden = !point;
  for (const [node, axis] of [[boxX, 0], [boxY, 1]]) if (document.activeElement !== node || !point) node.value = point ? point[axis].toFixed(2) : "";
  part("[data-note]").textContent = "";
  if (!point) return;
  const {true_, all} = rows();
  label("truth", {...true_, value: true_ ? true_.value : null});
  all.forEach((r) => label(r.learner.name, r.reason && !r.learner.fits.density ? {value: null} : r));
  const most = Math.min(5, Math.max(0.5, ...all.map((r) => (r.gap === null ? 0 : Math.abs(r.gap)))));
  part("tbody").replaceChildren(first(true_), ...all.map((r) => line(r, most)));
  part("[data-note]").textContent = !lab.race.id ? "Press play: the models have learnt nothing yet."
    : all.some((r) => r.near && r.value !== null) ? "≈ is read off the panel's map, or takes fewer steps; the exact value is on its way."
    : moment() !== null ? "Of the snapshot that you look back at."
    : true_ ? "Blue, to the left: the model gives this point less than the truth does; orange, to the right: more." : "";
};

// ---- taking it away
const copy = async () => {
  const {true_, all} = rows();
  const lines = [["model", "log p (nats)", "kind", "standard error", "minus the truth (nats)"], ["truth", true_ ? true_.value : "unknown", true_ ? "exact" : "", "", ""],
    ...all.map((r) => [r.learner.title, r.value ?? r.reason, r.kind, r.stderr ?? "", r.gap ?? ""])];
  const text = [`x\t${point[0]}\ty\t${point[1]}`, ...lines.map((cells) => cells.join("\t"))].join("\n");
  try { await navigator.clipboard.writeText(text); } catch { // no clipboard without https: the old way
    const area = h("textarea", {value: text, style: "position:fixed;opacity:0"});
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  pg.toast("Table copied");
};

// A link may say where.
lab.on("state", () => { if (!point && lab.state.probe) move(...lab.state.probe); else draw(); });
lab.on("kept", () => { if (point && !fits() && answered && answered.kept !== moment()) later(100); });
lab.on("facts", draw);
lab.on("race", () => { if (point && !asking) later(AGAIN); draw(); });
lab.on("frame", () => { if (point && !asking) later(AGAIN); });
