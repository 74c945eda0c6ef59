// One model, one measure, n of one's choice; how long it will take is said before it begins.
const pg = window.playground;
const scores = window.scores;
const {h} = pg;
const {state} = scores;
const part = (name) => element.querySelector(name);
const LONGEST = 120; // seconds: the server stops there too

const able = (row) => row.fits.measure === null;
const chosen = () => {
  const there = scores.facts().rows.filter(able);
  const near = there.filter((r) => r.data === scores.charted());
  const quick = near.filter((r) => r.cells.frechet && r.expected_seconds < 0.1).sort((x, y) => x.cells.frechet.value - y.cells.frechet.value);
  return scores.row(state.now) && able(scores.row(state.now)) ? scores.row(state.now) : quick[0] || near[0] || there[0];
};
const spec = (row, name) => (row.knobs.measure || []).find((s) => s.name === name) || {};
const what = (row) => ((spec(row, "what").options || []).includes(state.what) ? state.what : spec(row, "what").default);

const model = h("select.pg-select", {"aria-label": "model to measure", "data-now-model": true, onchange: () => scores.set({now: model.value})});
const ways = h("div.pg-chips", {role: "group", "aria-label": "what to measure"});
const number = h("input.pg-number-box", {type: "number", step: 1, "aria-label": "how many pictures", "data-size": true, onchange: () => number.checkValidity() && scores.set({size: number.value})});
const range = h("input.pg-range", {type: "range", step: 1, "aria-label": "how many pictures, as a slider", oninput: () => scores.set({size: String(Math.round(2 ** range.value))})});
const cost = h("span.sc-cost", {});
const go = h("button.pg-go.sc-go", {type: "button", "data-measure": true, onclick: () => {
  const row = chosen();
  if (number.checkValidity()) scores.run("now", {model: row.name, activity: "measure", knobs: {n: Number(number.value), what: what(row)}, seed: Math.floor(Math.random() * 2 ** 31)});
}}, "Measure");
part("[data-ask]").append(h("label.sc-field", {}, "Model", model), ways, h("div.sc-field", {}, "Pictures", range, number), go, cost);

// What it will cost: drawing is known from the card, a likelihood is not.
const seconds = (row, n) => (row.expected_seconds && what(row) !== "likelihood" ? (n / 16) * row.expected_seconds + 2 + n / 250 : null);
const draw = () => {
  const row = chosen();
  if (!row) { part("[data-why]").textContent = "No model here can be measured."; go.disabled = true; return; }
  model.replaceChildren(...scores.facts().datasets.map((d) => h("optgroup", {label: d.title}, scores.facts().rows.filter((r) => r.data === d.name && able(r)).map((r) => h("option", {value: r.name}, r.title)))));
  model.value = row.name;
  ways.replaceChildren(...(spec(row, "what").options || []).map((option) => h("button.pg-chip", {type: "button", "data-what": option, "aria-pressed": String(option === what(row)), onclick: () => scores.set({what: option})}, option)));
  const {low, high} = {low: 40, high: 5000, ...spec(row, "n")};
  let most = high;
  while (most > low && (seconds(row, most) || 0) > LONGEST) most = Math.floor(most / 1.1);
  most = Math.max(low, most);
  Object.assign(number, {min: low, max: most});
  const asked = Number(state.size) || spec(row, "n").default || 512;
  const n = Math.round(Math.min(most, Math.max(low, asked)));
  if (document.activeElement !== number) number.value = n;
  Object.assign(range, {min: Math.log2(low), max: Math.log2(most), step: 0.01});
  range.value = Math.log2(n);
  range.style.setProperty("--filled", `${(100 * (Math.log2(n) - Math.log2(low))) / (Math.log2(most) - Math.log2(low) || 1)}%`);
  const expected = seconds(row, n);
  cost.textContent = expected === null ? `at most ${LONGEST} s` : `about ${pg.seconds(expected)}`;
  const limited = most < high ? `At most ${most.toLocaleString("en")} pictures of this model, so that it takes no more than ${LONGEST} seconds. ` : "";
  const cell = row.cells[{"Fréchet distance": "frechet", "kernel distance": "kernel", likelihood: "nll"}[what(row)]];
  part("[data-why]").textContent = limited + (cell ? `Its card says ${cell.text}${cell.unit ? ` ${cell.unit}` : ""} at n = ${cell.n.toLocaleString("en")}.` : "Its card has no such number yet.");
};
scores.on("state", draw);
scores.stage("now", part("[data-result]"));
