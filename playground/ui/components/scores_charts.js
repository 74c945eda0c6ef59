// Draws the charts that the server made of the cards. A point is a model; its colour and mark are its family's.
const pg = window.playground;
const scores = window.scores;
const {h} = pg;
const {state} = scores;
const part = (name) => element.querySelector(name);
const HIGH = 340;

const styleOf = (family) => pg.plotStyle(scores.families().indexOf(family));
const hover = (title, lines) => [`<b>${title}</b>`, ...lines].join("<br>");

// ---- axes that leave room for the marks, and labels that do not lie on each other
const extent = (values, axis) => {
  if (axis.range) return axis.range;
  const good = values.filter((v) => Number.isFinite(v) && (!axis.log || v > 0));
  const f = axis.log ? Math.log10 : Number;
  const [low, high] = [Math.min(...good.map(f)), Math.max(...good.map(f))];
  const pad = (high - low || 1) * 0.12;
  return [low - pad, high + pad];
};
const ticks = (axis, range) => (axis.ticks ? [axis.ticks, axis.ticks.map(String)] : axis.log ? pg.plotTicks(range, axis.title.startsWith("seconds")) : []);
const PLACES = [["top center", 0, -1], ["bottom center", 0, 1], ["middle right", 1, 0], ["middle left", -1, 0], ["top right", 1, -1], ["bottom right", 1, 1], ["top left", -1, -1], ["bottom left", -1, 1]];
const crossing = (a, b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
const label = (points, chart, xs, ys, wide) => {
  const at = (value, axis, [low, high]) => ((axis.log ? Math.log10(value) : value) - low) / (high - low || 1);
  const where = points.map((p) => ({x: at(p.x, chart.x, xs) * wide, y: (1 - at(p.y, chart.y, ys)) * (HIGH - 60)}));
  const taken = where.map(({x, y}) => ({x0: x - 6, x1: x + 6, y0: y - 6, y1: y + 6}));
  return points.map((p, i) => {
    const width = 6.6 * p.label.length;
    for (const [name, dx, dy] of PLACES) {
      const x = where[i].x + dx * (width / 2 + (dy ? 4 : 9));
      const y = where[i].y + dy * 13;
      const box = {x0: x - width / 2, x1: x + width / 2, y0: y - 7, y1: y + 7};
      if (box.x0 < 0 || box.x1 > wide || box.y0 < 0 || box.y1 > HIGH - 60 || taken.some((other, j) => j !== i && crossing(box, other))) continue;
      taken.push(box);
      return {text: p.label, place: name};
    }
    return {text: "", place: "top center"}; // no room: pointing at the mark tells
  });
};

// ---- traces
const errors = (points, key, axis, colour) => ({type: "data", array: points.map((p) => p[`e${key}`] || 0), color: colour, thickness: 1.2, width: 3, symmetric: false,
  arrayminus: points.map((p) => Math.min(p[`e${key}`] || 0, axis.log ? 0.9 * p[key] : Infinity))}); // below zero a logarithm has no place
const dots = (chart, points, labels) => [...new Set(points.map((p) => p.family))].map((family) => {
  const mine = points.map((p, i) => i).filter((i) => points[i].family === family);
  const chosen = mine.map((i) => points[i]);
  const {colour, mark} = styleOf(family);
  return {type: "scatter", mode: "markers+text", name: family, x: chosen.map((p) => p.x), y: chosen.map((p) => p.y), text: mine.map((i) => labels[i].text), textposition: mine.map((i) => labels[i].place),
    textfont: {size: 12, color: pg.plotInk("ink")}, marker: {color: colour, size: 11, symbol: chosen.map((p) => (p.bound ? `${mark}-open` : mark)), line: {width: chosen.map((p) => (p.bound ? 2 : 1)), color: chosen.map((p) => (p.bound ? colour : pg.plotInk("ground")))}},
    error_x: errors(chosen, "x", chart.x, colour), error_y: errors(chosen, "y", chart.y, colour), hovertext: chosen.map((p) => hover(p.title, p.lines)), hoverinfo: "text", cliponaxis: false};
});
const lines = (chart) => chart.lines.map((line, i) => {
  const {colour, mark, dash} = pg.plotStyle(i);
  return {type: "scatter", mode: "lines+markers", name: line.label, x: line.points.map((p) => p.x), y: line.points.map((p) => p.y), line: {color: colour, dash, width: 2}, marker: {color: colour, symbol: mark, size: 8},
    error_y: errors(line.points, "y", chart.y, colour), hovertext: line.points.map((p) => hover(line.label, p.lines)), hoverinfo: "text"};
});
const bounds = (chart, xs, ys) => {
  const shapes = [];
  const notes = [];
  const dashed = {type: "line", line: {color: pg.plotInk("faint"), width: 1.5, dash: "dot"}, layer: "below"};
  const words = (x, y, text) => ({text, showarrow: false, font: {size: 11, color: pg.plotInk("soft")}, ...x, ...y});
  const inside = (value, axis, [low, high]) => (axis.log ? value > 0 && Math.log10(value) >= low && Math.log10(value) <= high : value >= low && value <= high);
  if (chart.floor && inside(chart.floor.value, chart.y, ys)) {
    const y = chart.floor.value;
    shapes.push({...dashed, xref: "paper", x0: 0, x1: 1, y0: y, y1: y});
    notes.push(words({xref: "paper", x: 1, xanchor: "right"}, {y: chart.y.log ? Math.log10(y) : y, yanchor: "bottom"}, chart.floor.text));
  }
  if (chart.wall) shapes.push({...dashed, yref: "paper", y0: 0, y1: 1, x0: chart.wall.value, x1: chart.wall.value});
  return {shapes, notes};
};
const spec = (chart, wide) => {
  const points = chart.points.length ? chart.points : (chart.lines || []).flatMap((line) => line.points);
  const floor = chart.floor ? [chart.floor.value] : [];
  const xs = extent(points.map((p) => p.x), chart.x);
  const ys = extent([...points.map((p) => p.y), ...floor], chart.y);
  const frontier = chart.frontier && chart.frontier.length > 1 ? [{type: "scatter", mode: "lines", x: chart.frontier.map((p) => p[0]), y: chart.frontier.map((p) => p[1]), line: {color: pg.plotInk("faint"), width: 1}, hoverinfo: "skip", showlegend: false}] : [];
  const traces = chart.lines ? lines(chart) : [...frontier, ...dots(chart, points, label(points, chart, xs, ys, wide - 80))];
  const [[values, texts], [heights, words]] = [ticks(chart.x, xs), ticks(chart.y, ys)];
  return {traces, x: {...chart.x, range: xs, values, texts}, y: {...chart.y, range: ys, values: heights, texts: words}, ...bounds(chart, xs, ys), legend: Boolean(chart.lines), height: HIGH + (chart.lines ? 40 : 0)};
};

// ---- one card per chart
const drawCard = (chart) => {
  const card = part(`[data-chart="${chart.name}"]`);
  const box = card.querySelector("[data-plot]");
  const empty = !chart.points.length && !(chart.lines && chart.lines.length);
  card.querySelector("[data-title]").textContent = chart.title;
  card.querySelector("[data-look]").textContent = chart.look;
  box.hidden = card.querySelector("[data-save]").hidden = empty;
  box.setAttribute("aria-label", `${chart.title} ${chart.y.title} against ${chart.x.title}; the numbers are in the table above`);
  const note = card.querySelector("[data-empty]");
  note.hidden = !empty;
  const [words, command] = chart.empty.split(/: (?=python)/);
  note.replaceChildren(`${words}: `, h("code", {}, command || ""));
  if (!empty) pg.plot(box, () => spec(chart, box.clientWidth || 500)).catch((problem) => { part("[data-problem]").textContent = problem.message; });
};
for (const card of element.querySelectorAll("[data-chart]")) {
  card.querySelector("[data-save]").addEventListener("click", () => pg.plotPicture(card.querySelector("[data-plot]"), `scores-${card.dataset.chart}.png`));
}

let asked = "";
const draw = async () => {
  const data = scores.charted();
  const {pixels} = scores.dataset(data);
  const {qualities} = scores.facts();
  const chip = (key, name, title) => h("button.pg-chip", {type: "button", "aria-pressed": String(state[key] === name), [`data-${key}`]: name, onclick: () => scores.set({[key]: name})}, title);
  part("[data-which]").textContent = `${scores.dataset(data).title}${state.data === "all" ? ", the data set with most models; choose another above the table" : ""}. A point is a model; bars are one standard error.`;
  part("[data-pixels]").replaceChildren(...(pixels.length > 1 ? pixels.map((name) => chip("pixels", name, name === "binary" ? "Black and white" : "Grey pictures")) : []));
  part("[data-qualities]").replaceChildren(...Object.entries(qualities).map(([name, title]) => chip("quality", name, title.charAt(0).toUpperCase() + title.slice(1))));
  const wanted = {data, pixels: state.pixels, quality: state.quality};
  if (asked === JSON.stringify(wanted)) return;
  asked = JSON.stringify(wanted);
  const answered = await scores.ask("scores_charts", wanted);
  if (asked !== JSON.stringify(wanted)) return; // somebody chose another meanwhile
  part("[data-problem]").textContent = answered.ok ? "" : answered.error;
  if (answered.ok) answered.charts.forEach(drawCard);
};
scores.on("state", draw);
