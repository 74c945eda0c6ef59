// Two models of one's choice. What cannot be compared is not, and the page says why.
const pg = window.playground;
const scores = window.scores;
const {h} = pg;
const {state} = scores;
const part = (name) => element.querySelector(name);

// ---- which two: those of the address, else two with a density on the data set of the charts
const able = (row) => row.fits.versus === null;
const starting = () => {
  const there = scores.facts().rows.filter((r) => r.data === scores.charted());
  const likely = (r) => (r.cells.bits_per_dim && r.cells.bits_per_dim.kind === "exact" ? r.cells.bits_per_dim.value : Infinity);
  const first = there.filter(able).sort((x, y) => likely(x) - likely(y)); // a good likelihood is what there is to compare
  const a = scores.row(state.a) || first[0] || there[0] || scores.facts().rows[0];
  const near = first.find((r) => r.name !== a.name && r.group === a.group && r.family !== a.family) || first.find((r) => r.name !== a.name) || there.find((r) => r.name !== a.name);
  const b = scores.row(state.b) || near || a;
  return [a, b];
};
const select = (key, row) => {
  const node = h("select.pg-select", {"aria-label": key === "a" ? "first model" : "second model", "data-choose-model": key, onchange: () => scores.set({[key]: node.value})},
    scores.facts().datasets.map((d) => h("optgroup", {label: d.title}, scores.facts().rows.filter((r) => r.data === d.name).map((r) => h("option", {value: r.name}, r.title)))));
  node.value = row.name;
  return node;
};

// ---- sample sheets
const sheets = {};
const drawSheet = async (side, key, row) => {
  const picture = h("img.sc-sheet", {alt: `samples of ${row.title}`, "data-sheet": row.name, hidden: true});
  if ((scores.dataset(row.data).shape || [3])[0] === 1) picture.classList.add("pg-grey");
  const none = h("p.pg-fine", {hidden: true}, "No sample sheet: this model draws nothing by itself, or was trained without one.");
  side.replaceChildren(select(key, row), picture, none, h("p.pg-fine", {}, row.line));
  if (!(row.name in sheets)) {
    const answered = await scores.ask("sheet", {model: row.name});
    sheets[row.name] = answered.ok && answered.png ? `data:image/png;base64,${answered.png}` : "";
  }
  if (sheets[row.name]) picture.src = sheets[row.name];
  picture.hidden = !sheets[row.name];
  none.hidden = Boolean(sheets[row.name]);
};

// ---- figures of both, only what at least one has; numbers of different pixels are shown and not ranked
const drawFigures = (a, b) => {
  const comparable = a.group === b.group;
  const shown = scores.facts().columns.filter((c) => c.group !== "overview" && c.name !== "published" && (a.cells[c.name] || b.cells[c.name]) && !(c.group === "model" && c.name === "family_title"));
  const text = (row, c) => (row.cells[c.name] ? row.cells[c.name].text : "–");
  const better = (x, y, c) => {
    if (!c.better || !x || !y || (!comparable && !c.across) || x.value === y.value || (c.group === "likelihood" && [x.kind, y.kind].includes("lower bound"))) return false;
    return (c.better === "lower") === (x.value < y.value) && Math.abs(x.value - y.value) > Math.hypot(x.stderr || 0, y.stderr || 0);
  };
  const cell = (x, y, row, c) => h(`td.pg-number${better(x, y, c) ? ".sc-win" : ""}`, {title: x ? x.protocol : "not measured"}, text(row, c));
  part("[data-figures]").replaceChildren(h("table.pg-table.sc-two", {}, h("thead", {}, h("tr", {}, h("th", {scope: "col"}, ""), h("th", {scope: "col"}, a.title), h("th", {scope: "col"}, b.title))),
    h("tbody", {}, shown.map((c) => h("tr", {"data-figure": c.name}, h("th", {scope: "row", title: c.help}, c.title, c.unit && c.form !== "seconds" ? h("small", {}, ` ${c.unit}`) : null), cell(a.cells[c.name], b.cells[c.name], a, c), cell(b.cells[c.name], a.cells[c.name], b, c))))),
    h("p.pg-fine", {}, comparable ? "Bold: better by more than the standard error of the difference." : "These two are measured on different pictures; only what means the same everywhere is compared."));
};

// ---- the same pictures through both
const plan = (a, b) => {
  if (a.name === b.name) return {model: able(a) ? a : null, others: [], why: able(a) ? "Choose two different models to compare picture by picture." : `${a.title} has no density: ${a.fits.versus}.`};
  if (!able(a) && !able(b)) return {model: null, why: `Neither can say how probable a picture is. ${a.title}: ${a.fits.versus}.`};
  if (!able(a) || !able(b)) {
    const [can, not] = able(a) ? [a, b] : [b, a];
    return {model: can, others: [], why: `${not.title} cannot say how probable a picture is (${not.fits.versus}), so log p is shown of ${can.title} alone.`};
  }
  const offered = ((a.knobs.versus.find((s) => s.name === "others") || {}).options || []).includes(b.name);
  if (!offered) return {model: a, others: [], why: `${b.title} was trained on ${b.data_title}, not on ${a.data_title}: the same pictures mean different things to the two, so log p is shown of ${a.title} alone.`};
  return {model: a, others: [b.name], why: a.pixels === b.pixels ? "" : "One is of grey pictures, the other of black-and-white ones: two histograms, but no common scale and no scatter."};
};
const size = h("input.pg-number-box", {type: "number", min: 20, max: 1000, step: 1, value: 100, "aria-label": "pictures of each set", "data-n": true, onchange: () => size.checkValidity() && scores.set({n: size.value === "100" ? "" : size.value})});
const go = h("button.pg-go.sc-go", {type: "button", "data-versus": true, onclick: () => {
  const {model, others} = plan(...starting());
  if (model && size.checkValidity()) scores.run("pair", {model: model.name, activity: "versus", knobs: {n: Number(size.value), others}, seed: 17});
}}, "Compare log p");
part("[data-ask]").append(h("label.sc-field", {}, "Pictures of each set", size), go);

let shown = "";
const draw = () => {
  const [a, b] = starting();
  if (state.n && document.activeElement !== size) size.value = state.n;
  const {model, why} = plan(a, b);
  part("[data-why]").textContent = why;
  go.disabled = !model;
  if (shown === `${a.name} ${b.name}`) return;
  shown = `${a.name} ${b.name}`;
  drawSheet(part('[data-side="a"]'), "a", a);
  drawSheet(part('[data-side="b"]'), "b", b);
  drawFigures(a, b);
};
scores.on("state", draw);
scores.stage("pair", part("[data-result]"));
