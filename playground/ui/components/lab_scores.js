// Every learner's numbers, live. A number is shown with its kind: a bound as a bound, an estimate as an estimate.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);

const racing = () => (lab.facts ? lab.facts.learners.filter((l) => lab.state.learners.includes(l.name)) : []);
const panel = (name) => lab.panels[name] || {};
const numbers = (name) => panel(name).numbers || {};
const kind = (name) => numbers(name).kind || (panel(name).latest || {}).kind || null;
const style = (name) => lab.look(lab.facts.learners.findIndex((l) => l.name === name));

// ---- numbers in words
const SIGN = {"lower bound": "≤ ", estimate: "≈ "}; // what is below log p is above the divergence
const short = (v, digits = 3) => (v === 0 ? "0" : Math.abs(v) >= 100 ? v.toFixed(0) : v.toFixed(Math.abs(v) >= 10 ? 1 : digits)).replace("-", "−");
const bounded = (value, name) => (SIGN[kind(name)] || "") + short(value);
const error = (se) => (Number.isFinite(se) && se > 0 ? ` ± ${se < 0.0005 ? "<0.001" : short(se)}` : "");

// sign: lower is better (-1), higher is better (+1), nearer to one (0), no best (null).
const COLUMNS = [
  {name: "kind", title: "Density", help: "exact, a lower bound, an estimate, or none", text: (v) => v, best: null, from: (_, __, name) => kind(name)},
  {name: "kl", title: "KL, nats", help: "KL(truth || model) on held-out points, with its standard error; of a bound it is an upper bound", best: -1, text: (v, n, name) => bounded(v, name) + error(n.kl_stderr)},
  {name: "nll", title: "NLL, nats", help: "mean of −log p on held-out points", best: -1, text: (v, n, name) => bounded(v, name)},
  {name: "modes", title: "Modes", help: "modes that the samples reach", best: +1, from: (n) => (n.modes ? n.modes[0] : null), text: (v, n) => `${n.modes[0]} of ${n.modes[1]}`},
  {name: "lost", title: "In no mode", help: "share of samples further than three standard deviations from every mode", best: -1, text: (v) => `${(100 * v).toFixed(1)} %`},
  {name: "sliced", title: "Sliced W", help: "sliced Wasserstein distance to true samples, units of the plane", best: -1},
  {name: "wasserstein", title: "Exact W", help: "exact Wasserstein distance to true samples (POT), units of the plane", best: -1},
  {name: "mmd", title: "MMD", help: "maximum mean discrepancy to true samples", best: -1},
  {name: "energy", title: "Energy dist.", help: "energy distance to true samples", best: -1},
  {name: "integral", title: "Integral", help: "of the density over the plane: one, if it is a density", best: null},
  {name: "rate", title: "Steps/s", help: "training steps per second of its own time", best: +1, from: (_, p) => (p.newest && p.newest.micros ? 1e6 / p.newest.micros : null), text: (v) => pg.number(Math.round(v))},
  {name: "seconds", title: "Seconds", help: "of its own training", best: null, from: (_, p) => (p.newest ? p.newest.seconds : null), text: (v) => v.toFixed(1)},
];
const valueOf = (column, name) => {
  const value = (column.from || ((n) => n[column.name]))(numbers(name), panel(name), name);
  return value === undefined || Number.isNaN(value) ? null : value;
};

// ---- the rows that no learner beats
const floorOf = () => (lab.race && lab.race.floor) || (lab.target && lab.target.floor) || {};
const truth = () => {
  const target = lab.target || {};
  const known = Number.isFinite(target.entropy);
  const modes = target.modes ? [target.modes, target.modes] : null;
  return {...floorOf(), ...(known ? {kind: "exact", kl: 0, nll: target.entropy, integral: 1} : {}), ...(modes ? {modes} : {})};
};

// ---- sorting
let order = {name: null, down: false};
const sorted = (names) => {
  const column = COLUMNS.find((c) => c.name === order.name);
  if (!column && order.name !== "learner") return names;
  const key = (name) => (column ? valueOf(column, name) : lab.facts.learners.find((l) => l.name === name).title);
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b) * (order.down ? -1 : 1);
  return [...names].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return x === null ? (y === null ? 0 : 1) : y === null ? -1 : compare(x, y); // what has no number stands last
  });
};
const sortBy = (name, best) => {
  order = order.name === name ? (order.down === (best === 1) ? {name, down: !order.down} : {name: null, down: false}) : {name, down: best === 1};
  draw();
};

const worded = (column, name) => {
  const value = valueOf(column, name);
  return value === null ? "–" : column.text ? column.text(value, numbers(name), name) : short(value);
};

// Who is best: those within the best one's standard error, or that read the same, if they are few. A bound is never the best of a column
// of likelihoods: it is another number.
const bestOf = (column, names) => {
  const fair = names.filter((n) => valueOf(column, n) !== null && !(["kl", "nll"].includes(column.name) && kind(n) === "lower bound"));
  if (column.best === null || fair.length < 2) return [];
  const first = fair.reduce((a, b) => ((valueOf(column, b) - valueOf(column, a)) * column.best > 0 ? b : a));
  const within = ["kl", "nll"].includes(column.name) ? numbers(first).kl_stderr || 0 : 0; // nobody can tell them apart
  const same = fair.filter((n) => Math.abs(valueOf(column, n) - valueOf(column, first)) <= within || worded(column, n) === worded(column, first));
  return same.length <= Math.max(1, fair.length / 3) ? same : [];
};

// ---- the table: made once per set of learners, then only its texts change
let frame = {shape: "", cells: {}, rows: {}, body: null, heads: {}};
const build = (names) => {
  const head = (name, title, help, best) => {
    const button = h("button.lab-sort", {type: "button", title: help, "data-sort": name, onclick: () => sortBy(name, best)}, title, h("i", {"aria-hidden": "true"}));
    const cell = h("th", {scope: "col"}, button);
    frame.heads[name] = cell;
    return cell;
  };
  frame = {shape: names.join(), cells: {}, rows: {}, heads: {}, body: h("tbody")};
  const heads = h("tr", {}, head("learner", "Learner", "by name", -1), COLUMNS.map((c) => head(c.name, c.title, c.help, c.best)));
  const row = (name, label, extra = "") => {
    frame.cells[name] = COLUMNS.map((c) => h("td.pg-number", {"data-column": c.name}));
    frame.rows[name] = h(`tr${extra}`, {"data-row": name}, h("th", {scope: "row"}, label), frame.cells[name]);
    return frame.rows[name];
  };
  for (const name of names) {
    const learner = lab.facts.learners.find((l) => l.name === name);
    row(name, h("button.lab-pick", {type: "button", onclick: () => lab.set({selected: name})}, lab.key(style(name)), learner.title));
  }
  const foot = h("tfoot", {}, row("truth", h("span.lab-truth-name", {}, "The truth, and two true samples"), ".lab-truth"));
  part("[data-table]").replaceChildren(h("table.pg-table.lab-table", {}, h("thead", {}, heads), frame.body, foot));
};

const write = (cell, text, best) => {
  if (cell.textContent !== text) cell.textContent = text;
  cell.classList.toggle("lab-best", best);
  if (best) cell.title = "the best of this column"; else cell.removeAttribute("title");
};

const drawTable = (names) => {
  if (frame.shape !== names.join() || !frame.body) build(names);
  const best = COLUMNS.map((c) => bestOf(c, names));
  for (const name of names) {
    COLUMNS.forEach((column, i) => {
      write(frame.cells[name][i], worded(column, name), best[i].includes(name));
    });
    frame.rows[name].classList.toggle("lab-final", Boolean(numbers(name).final));
    frame.rows[name].classList.toggle("lab-selected", lab.state.selected === name);
  }
  const ideal = truth();
  COLUMNS.forEach((column, i) => {
    const value = column.name === "modes" ? (ideal.modes ? ideal.modes[0] : null) : ideal[column.name] ?? null;
    write(frame.cells.truth[i], value === null ? "" : column.name === "lost" ? `${(100 * value).toFixed(1)} %` : column.name === "modes" ? `${value} of ${value}` : typeof value === "string" ? value : short(value), false);
  });
  const rows = sorted(names).map((name) => frame.rows[name]);
  if (rows.some((row, i) => frame.body.children[i] !== row)) frame.body.replaceChildren(...rows);
  for (const [name, cell] of Object.entries(frame.heads)) cell.setAttribute("aria-sort", order.name !== name ? "none" : order.down ? "descending" : "ascending");
};

const NOTE = "≤: from a lower bound of log p, so no more than this, and never the best of its column. ≈: an estimate, with its standard error. "
  + "Distances in the last row are those of two true samples of the same size: nobody can be expected below.";

// ---- the chart
const MEASURES = [{name: "kl", title: "KL"}, {name: "sliced", title: "Sliced W"}, {name: "energy", title: "Energy dist."}];
let measure = "kl";
// {learner: [{seconds, ...numbers}]} of the present race
let history = {};
let race = null;

const remember = () => {
  const now = lab.race ? lab.race.id : null;
  if (now !== race) { race = now; history = {}; }
  for (const {name} of racing()) {
    const {newest: latest, numbers: n} = panel(name);
    if (!latest || !n) continue;
    const past = (history[name] = history[name] || []);
    while (past.length && past[past.length - 1].seconds > latest.seconds) past.pop(); // rewound
    const last = past[past.length - 1];
    if (!last || MEASURES.some((m) => last[m.name] !== n[m.name])) past.push({seconds: latest.seconds, ...n});
  }
};

const drawChart = () => {
  const series = racing().map((l) => ({name: l.name, style: style(l.name), points: (history[l.name] || []).filter((p) => Number.isFinite(p[measure])).map((p) => [p.seconds, Math.max(p[measure], 1e-4)]),
    title: measure === "kl" && kind(l.name) in SIGN ? `${SIGN[kind(l.name)]}${l.short || l.title}` : l.short || l.title}));
  const floor = floorOf()[measure];
  lab.chart(part("[data-quality]"), {series, x: {title: "seconds of own training"}, y: {log: true, least: measure === "kl" ? 0.001 : 0},
    floor: Number.isFinite(floor) && floor > 0 ? {value: floor, title: "two true samples"} : null, height: 320, label: `${measure} of each learner against its seconds of training`});
  part("[data-legend]").replaceChildren(...series.filter((one) => one.points.length).map((one) => h("span", {}, lab.key(one.style), one.title)));
  const without = racing().filter((l) => measure === "kl" && kind(l.name) === "none").map((l) => l.title);
  part("[data-without]").textContent = without.length ? `Not in this chart, for want of a density: ${without.join(", ")}.` : "";
  for (const chip of part("[data-measures]").children) chip.setAttribute("aria-pressed", String(chip.dataset.measure === measure));
};
part("[data-measures]").append(...MEASURES.map((m) => h("button.pg-chip", {type: "button", "data-measure": m.name, onclick: () => { measure = m.name; drawChart(); }}, m.title)));

// ---- what to take home
const fetched = async (asked, button) => {
  if (!lab.race || !lab.race.id) { pg.toast("Press play first: there is no race to take home yet."); return; }
  button.disabled = true;
  const told = await lab.ask("lab_export", {race: lab.race.id, ...asked});
  button.disabled = false;
  if (told.ok) pg.save(told.name, `data:application/octet-stream;base64,${told.b64}`);
  else pg.toast(told.error);
};
const png = () => pg.save("race.png", lab.poster().toDataURL("image/png"));
const WAYS = [["png", "PNG", "all panels as one picture"], ["gif", "GIF", "the race as a film"], ["csv", "CSV", "the numbers of the table"], ["npz", "NPZ", "samples and densities as arrays"]];
part("[data-exports]").append(...WAYS.map(([format, title, help]) => h("button.pg-chip", {type: "button", title: help, "data-export": format,
  onclick: (event) => (format === "png" ? png() : fetched({format}, event.currentTarget))}, title)));
const which = h("select.pg-select", {"aria-label": "learner of the script", "data-script-learner": true});
part("[data-script]").append(which, h("button.pg-chip", {type: "button", title: "a short Python script that trains this one again and prints the same number", "data-export": "script",
  onclick: (event) => fetched({format: "script", learner: which.value}, event.currentTarget)}, "Script"));

const drawScript = () => {
  const names = racing();
  const shape = names.map((l) => l.name).join();
  if (which.dataset.shape === shape) return;
  const before = lab.state.selected && names.some((l) => l.name === lab.state.selected) ? lab.state.selected : which.value;
  which.replaceChildren(...names.map((l) => h("option", {value: l.name, selected: l.name === before}, l.title)));
  which.dataset.shape = shape;
};

// Many topics may speak at once; the page is drawn once per moment, and not while nobody sees it.
let waiting = 0;
const draw = () => {
  if (waiting || !lab.facts) return;
  waiting = setTimeout(() => {
    waiting = 0;
    remember();
    drawTable(racing().map((l) => l.name));
    drawChart();
    drawScript();
    part("[data-note]").textContent = NOTE;
  }, 120);
};
for (const topic of ["facts", "state", "race", "frame", "numbers", "selected"]) lab.on(topic, draw);
new ResizeObserver(draw).observe(part("[data-quality]"));
