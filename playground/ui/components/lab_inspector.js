// The chosen panel, large: its layers, the time of its field, a start point to drag, its losses, settings and code.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);
const [base, over, start] = [part("[data-base]"), part("[data-over]"), part("[data-start]")];
const MOMENTS = 40; // steps of the time slider
const STEP = 0.1; // how far an arrow key moves the start point

// What is shown of it; ``vectors``, ``lines`` and ``states`` are what the server has answered for this learner.
const look = {ground: "density", samples: true, field: false, latent_grid: false, path: false, t: 0.5, start: [0.8, 0.6]};
const found = {name: null, vectors: null, goal: null, n: 20, lines: null, states: null, times: new Map()};

const name = () => lab.state.selected;
const learner = () => lab.facts && lab.facts.learners.find((l) => l.name === name());
const panel = () => lab.panels[name()] || {};
const frame = () => panel().latest || null;
const truth = () => name() === "truth";
const why = (what) => (learner() ? learner().fits[what] ?? null : "this is the truth: nothing has been learnt");

// ---- the plane
const GROUNDS = [["density", "Density"], ["difference", "Difference"], ["none", "None"]];
const LAYERS = [
  {what: "samples", title: (l) => (l.fits && l.fits.samples ? "Rebuilt data" : "Samples")},
  {what: "field", title: (l) => (l.field_name ? `${pg.words(l.field_name)} field` : "Field")},
  {what: "latent_grid", title: () => "Latent grid"},
  {what: "path", title: () => "Path"},
];
const NO_TRUTH = "the true density is not known, only samples are";
const blocked = (what) => (what === "samples" || what === "none" ? null
  : what === "difference" && truth() ? "this is the truth itself"
  : what === "difference" && why("density") === null && !lab.target.logp ? NO_TRUTH
  : what === "density" || what === "difference" ? (truth() ? (lab.target.logp ? null : NO_TRUTH) : why("density"))
  : why(what));
const shows = (what) => look[what] && blocked(what) === null;

const paintBase = () => {
  if (!name() || !lab.target) return;
  const now = truth() ? lab.target : frame() || {};
  const ground = blocked(look.ground) === null ? look.ground : "none";
  const dense = ground !== "none" && now.logp;
  lab.paint(base, {logp: dense || null, points: look.samples ? now.points : null, difference: dense && ground === "difference" ? lab.target.logp : null,
    outline: dense ? null : lab.target.logp});
};

let drawing = 0;
const paintOver = () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    if (!found.name || !over.clientWidth) return;
    const paper = lab.pen(over);
    if (shows("latent_grid") && found.lines) lab.over.grid(paper, found.lines);
    if (shows("field") && found.goal) {
      const moving = ease();
      const most = lab.over.arrows(paper, found.vectors, found.n);
      if (most) part("[data-longest]").textContent = `The longest arrow is ${pg.number(Number(most.toPrecision(2)))}; lengths grow with the square root.`;
      if (moving) paintOver();
    }
    if (shows("path") && found.states) lab.over.route(paper, found.states, look.t);
  });
};

// Arrows glide to their new directions instead of jumping; true while they still do.
const still = matchMedia("(prefers-reduced-motion: reduce)");
const ease = () => {
  const {goal} = found;
  if (!found.vectors || found.vectors.length !== goal.length || still.matches) found.vectors = Float32Array.from(goal);
  const near = 0.01 * goal.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  let far = false;
  found.vectors.forEach((v, i) => {
    const gap = goal[i] - v;
    if (Math.abs(gap) > near) far = true;
    found.vectors[i] = Math.abs(gap) > near ? v + 0.4 * gap : goal[i];
  });
  return far;
};

// ---- what the server answers about it
const probe = async (question) => {
  if (!lab.race.id || truth()) return null;
  const asked = name();
  const kept = lab.race.moment ?? null; // of the race that somebody looks back at
  const answered = await lab.ask("lab_probe", {race: lab.race.id, question: {...question, kept, learner: asked}});
  if (asked !== name() || kept !== (lab.race.moment ?? null)) return null; // somebody chose another panel, or moment, meanwhile
  part("[data-problem]").textContent = answered.ok ? "" : answered.error;
  return answered.ok ? answered : null;
};

const askField = lab.pump(async (t) => {
  const answered = await probe({what: "field", t, n: found.n});
  if (!answered) return;
  found.times.set(t, lab.floats(answered.vectors));
  if (t === look.t) found.goal = found.times.get(t);
  paintOver();
});
const askGrid = lab.pump(async () => {
  const answered = await probe({what: "latent_grid"});
  if (!answered) return;
  found.lines = answered.lines;
  paintOver();
});
const askPath = lab.pump(async (from) => {
  const answered = await probe({what: "path", start: from});
  if (!answered) return;
  found.states = answered.states;
  paintOver();
});

const wantField = () => {
  if (!shows("field")) return;
  if (found.times.has(look.t)) { found.goal = found.times.get(look.t); paintOver(); } else askField(look.t);
};
// The model has moved on, or another layer is wanted: ask for all that is shown.
const refresh = () => {
  found.times.clear();
  wantField();
  if (shows("latent_grid")) askGrid();
  if (shows("path")) askPath(look.start);
  paintOver();
};

// ---- the slider of time
const time = part("[data-time]");
const timed = () => (shows("field") && learner().timed !== false) || shows("path");
const setTime = (t) => {
  look.t = Math.round(t * MOMENTS) / MOMENTS;
  time.value = look.t;
  time.style.setProperty("--filled", `${100 * look.t}%`);
  part("[data-moment]").textContent = `t = ${look.t.toFixed(2)}`;
  wantField();
  paintOver();
};
time.addEventListener("input", () => { halt(); setTime(Number(time.value)); });

let playing = 0;
const halt = () => {
  clearInterval(playing);
  playing = 0;
  run.replaceChildren(pg.icon("play"));
};
const run = pg.tool("play", "Let time run from noise to data", () => {
  if (playing) { halt(); return; }
  if (look.t >= 1) setTime(0);
  run.replaceChildren(pg.icon("pause"));
  playing = setInterval(() => (look.t >= 1 || !element.isConnected ? halt() : setTime(look.t + 1 / MOMENTS)), 90);
}, {"data-run-time": true});
time.before(run);

// ---- the start point: dragged by mouse or finger, moved by arrow keys
const clamp = (v) => Math.max(-lab.HALF, Math.min(lab.HALF, v));
const setStart = (x, y) => {
  look.start = [clamp(x), clamp(y)];
  start.style.left = `${(100 * (look.start[0] + lab.HALF)) / (2 * lab.HALF)}%`;
  start.style.top = `${(100 * (lab.HALF - look.start[1])) / (2 * lab.HALF)}%`;
  start.setAttribute("aria-label", `Start point at ${look.start.map((v) => v.toFixed(2)).join(", ")}: drag it, or use the arrow keys`);
  if (shows("path")) askPath(look.start);
};
start.addEventListener("pointerdown", (event) => { start.setPointerCapture(event.pointerId); event.preventDefault(); start.focus(); });
start.addEventListener("pointermove", (event) => {
  if (!start.hasPointerCapture(event.pointerId)) return;
  const box = base.getBoundingClientRect();
  setStart(((event.clientX - box.left) / box.width - 0.5) * 2 * lab.HALF, (0.5 - (event.clientY - box.top) / box.height) * 2 * lab.HALF);
});
start.addEventListener("click", (event) => event.stopPropagation());
start.addEventListener("keydown", (event) => {
  const [dx, dy] = lab.ARROWS[event.key] || [0, 0];
  if (!dx && !dy) return;
  event.preventDefault();
  event.stopPropagation();
  const by = event.shiftKey ? 5 * STEP : STEP;
  setStart(look.start[0] + by * dx, look.start[1] + by * dy);
});

// ---- layers as switches; what it cannot do is grey and says why
const chip = (pressed, title, attributes, onclick) => h("button.pg-chip", {type: "button", "aria-pressed": String(pressed), onclick, ...attributes}, title);
const offer = (what, title, on, attributes, take) => {
  const reason = blocked(what);
  if (reason === null) return chip(on, title, attributes, take);
  return h("button.pg-chip.pg-lab-cannot", {type: "button", "aria-disabled": "true", "aria-description": reason, title: reason, ...attributes,
    onclick: () => pg.toast(`${title}: ${reason}.`)}, title);
};
const turned = () => { drawLayers(); refresh(); paintBase(); };
// Made anew only when something in them has changed: a button that is replaced under the finger is not pressed.
let offered = "";
const drawLayers = () => {
  const l = learner() || {};
  const now = JSON.stringify([name(), look.ground, ...LAYERS.map((one) => look[one.what]), l.fits, Boolean(lab.target.logp), lab.race.moment]);
  if (now === offered) return;
  offered = now;
  const held = element.contains(document.activeElement) && document.activeElement.dataset;
  part("[data-grounds]").replaceChildren(...GROUNDS.map(([ground, title]) => offer(ground, title, (blocked(look.ground) === null ? look.ground : "none") === ground, {"data-ground": ground},
    () => { look.ground = ground; turned(); })));
  part("[data-layers]").replaceChildren(...LAYERS.map(({what, title}) => offer(what, title(l), look[what], {"data-layer": what},
    () => { look[what] = !look[what]; turned(); })));
  const missing = truth() ? [] : [{what: "density", title: () => "Density"}, ...LAYERS].filter((one) => blocked(one.what) !== null);
  part("[data-cannot]").replaceChildren(...missing.map((one) => h("li", {"data-reason": one.what}, h("strong", {}, `No ${one.title({}).toLowerCase()}: `), blocked(one.what))));
  part("[data-times]").hidden = !timed();
  part("[data-longest]").hidden = !shows("field");
  part("[data-legend]").textContent = [shows("path") && `Drag the ring: it is the start, a point of noise. Orange is what becomes of it${timed() ? ", blue where it is at time t" : ""}.`,
    shows("latent_grid") && "Along an orange line the first latent is fixed, along a blue one the second."].filter(Boolean).join(" ");
  part("[data-past]").hidden = lab.race.moment === null || lab.race.moment === undefined || !LAYERS.slice(1).some((one) => shows(one.what));
  start.hidden = !shows("path");
  if (held && held.layer) part(`[data-layer="${held.layer}"]`)?.focus();
  if (held && held.ground) part(`[data-ground="${held.ground}"]`)?.focus();
};

// ---- figures and losses
const rate = (micros) => (micros > 0 ? Math.round(1e6 / micros).toLocaleString("en") : "–");
const drawFigures = () => {
  const now = frame();
  const rows = now && !truth() ? [["Steps", pg.number(now.step)], ["Own training", pg.seconds(now.seconds)],
    ["A step takes", `${pg.number(Math.round(now.micros))} µs`], ["Steps a second", rate(now.micros)]] : [];
  part("[data-figures]").replaceChildren(...rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
};
const drawCurve = () => {
  const series = lab.losses(name());
  const players = Object.keys(series).filter((player) => series[player].length > 1);
  part("[data-losses]").hidden = !players.length;
  if (!players.length) return;
  lab.drawCurve(part("[data-curve]"), Object.fromEntries(players.map((player) => [player, series[player]])));
  part("[data-players]").replaceChildren(...players.map((player, i) => h("span", {"data-player": player},
    h("i", {class: `pg-lab-dash pg-lab-dash-${i}`}), `${player === "model" ? "Loss" : pg.words(player)} ${pg.number(Number(series[player].at(-1)[1].toPrecision(4)))}`)));
};

// ---- who it is
const source = async (path) => {
  const answered = await lab.ask("source", {path});
  pg.dialog(path, answered.ok ? h("pre.pg-source", {tabindex: 0}, answered.text) : h("p", {}, answered.error));
};
const step = (by) => {
  const all = ["truth", ...lab.state.learners];
  lab.set({selected: all[(all.indexOf(name()) + by + all.length) % all.length]});
};
const kindOf = () => {
  if (truth()) return lab.target.logp ? "known exactly" : "only samples are known";
  const kind = frame()?.kind || learner().kind;
  return kind === "none" ? "no density" : kind ? `density: ${lab.kinds(kind)}` : "";
};
const drawHead = () => {
  const l = learner();
  const file = l && `${l.family.split(".")[0]}.py`; // of playground/families
  part("[data-title]").textContent = truth() ? "The truth" : l.title;
  part("[data-line]").textContent = truth() ? `${lab.target.title}. ${lab.target.line || ""}` : l.line;
  part("[data-code]").replaceChildren(...(l ? [h("button.pg-link.pg-flush", {type: "button", "data-source": file, onclick: () => source(file)}, `The code that is running: ${file}`)] : []));
  part("[data-invite]").hidden = !truth();
};
// A story may turn them too.
let set = "";
const drawSettings = () => {
  const l = learner();
  const now = JSON.stringify([name(), lab.state.settings[name()], lab.state.width]);
  if (now === set || part("[data-settings]").contains(document.activeElement)) return;
  set = now;
  part("[data-own]").hidden = !l || !l.knobs.length;
  part("[data-settings]").replaceChildren(...(l ? lab.settingsForm(l) : []));
};
part("[data-steps]").append(pg.tool("left", "The panel before", () => step(-1)), pg.tool("right", "The next panel", () => step(1)));

// A story turns them: layers, ground and the time.
document.addEventListener("lab-inspect", ({detail: {t, ...layers}}) => {
  Object.assign(look, layers);
  if (t !== undefined) setTime(t);
  if (found.name && Object.keys(layers).length) turned();
});

// ---- all of it
const update = () => {
  if (!found.name) return;
  part("[data-kind]").textContent = kindOf();
  part("[data-wait]").hidden = truth() || Boolean(frame());
  part("[data-wait]").textContent = lab.race.id ? "Its first picture is on its way." : "Press play: it has learnt nothing yet.";
  drawFigures();
  drawCurve();
  paintBase();
  refresh();
};
const draw = () => {
  if (!lab.facts || !lab.target) return;
  const chosen = Boolean(name()) && (truth() || Boolean(learner()));
  part("[data-empty]").hidden = chosen;
  part("[data-inside]").hidden = !chosen;
  if (!chosen) { found.name = null; return; }
  const now = truth() ? `truth ${lab.target.title}` : name();
  if (found.name !== now) {
    Object.assign(found, {name: now, vectors: null, goal: null, lines: null, states: null});
    part("[data-problem]").textContent = "";
    part("[data-plane]").dataset.labPlane = name();
    drawHead();
    lab.turns(part("[data-turns]"), learner(), why("turn"));
    setStart(...look.start);
    setTime(look.t);
  }
  drawSettings();
  drawLayers();
  update();
};
for (const topic of ["facts", "selected", "state"]) lab.on(topic, draw);
lab.on("frame", (which) => { if (!which || which === name()) update(); });
let [raced, looked] = [null, null];
lab.on("kept", () => {
  if (!found.name) return;
  drawLayers();
  if (looked === (lab.race.moment ?? null)) return;
  looked = lab.race.moment ?? null; // somebody looks back
  refresh();
});
lab.on("race", () => {
  if (raced !== lab.race.id) Object.assign(found, {vectors: null, goal: null, lines: null, states: null});
  raced = lab.race.id;
  update();
});
new ResizeObserver(update).observe(part("[data-plane]"));
new MutationObserver(update).observe(document.body, {attributes: true, attributeFilter: ["class"]});
