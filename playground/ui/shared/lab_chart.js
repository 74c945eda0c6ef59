// A chart of a few named lines, drawn as SVG so that day and night need no redrawing; told apart by mark and dash too.
"use strict";
(() => {
  const lab = (window.lab = window.lab || {});
  const NS = "http://www.w3.org/2000/svg";
  // Okabe and Ito's colours (2008), without the yellow, which paper swallows; the eighth begins again, dashed.
  const HUES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "ink"];
  const MARKS = ["circle", "square", "diamond", "up", "cross", "down"];
  const SHAPES = {circle: "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z", square: "M-3.5-3.5h7v7h-7Z", diamond: "M0-5L5 0L0 5L-5 0Z", up: "M0-4.6L4.4 3.6H-4.4Z",
    cross: "M-3.6-3.6L3.6 3.6M-3.6 3.6L3.6-3.6", down: "M0 4.6L4.4-3.6H-4.4Z"};

  const s = (tag, props = {}, ...children) => {
    const node = document.createElementNS(NS, tag);
    for (const [key, value] of Object.entries(props)) if (value !== undefined && value !== null) node.setAttribute(key, value);
    node.append(...children.filter((child) => child !== null));
    return node;
  };

  // How the ``i``-th of all learners is drawn, everywhere.
  const look = (i) => ({ink: HUES[i % HUES.length] === "ink" ? "var(--pg-ink)" : HUES[i % HUES.length], dash: i >= HUES.length ? "5 3" : null, mark: MARKS[i % MARKS.length]});

  const mark = (style, x = 0, y = 0, scale = 1) => s("path", {d: SHAPES[style.mark], transform: `translate(${x} ${y}) scale(${scale})`,
    fill: style.mark === "cross" ? "none" : style.ink, stroke: style.mark === "cross" ? style.ink : "var(--pg-ground)", "stroke-width": style.mark === "cross" ? 2 : 1});

  const key = (style) => s("svg", {viewBox: "0 0 28 12", width: 28, height: 12, "aria-hidden": "true", class: "lab-key"},
    s("path", {d: "M0 6H28", stroke: style.ink, "stroke-width": 2, "stroke-dasharray": style.dash}), mark(style, 14, 6));

  // ---- axes
  const scale = (low, high, from, to, log) => {
    const f = log ? Math.log10 : Number;
    const [a, b] = [f(low), f(high)];
    return (value) => from + ((f(Math.max(value, log ? low / 1e3 : value)) - a) / (b - a || 1)) * (to - from);
  };
  const round = (values) => [...new Set(values.map((v) => Number(v.toPrecision(6))))];
  const ticks = (low, high, log, most) => {
    if (log) {
      const from = Math.floor(Math.log10(low));
      const decades = Math.log10(high / low);
      const parts = decades < 1.2 ? [1, 2, 5] : decades < 2.5 ? [1, 3] : [1];
      const all = Array.from({length: Math.ceil(Math.log10(high)) - from + 1}, (_, i) => parts.map((p) => p * 10 ** (from + i))).flat();
      return round(all.filter((v) => v >= low * 0.999 && v <= high * 1.001));
    }
    const rough = (high - low) / most || 1;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * size).find((k) => k >= rough);
    return round(Array.from({length: Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1}, (_, i) => (Math.ceil(low / step - 1e-9) + i) * step));
  };
  const words = (value) => (Math.abs(value) >= 1e4 ? value.toExponential(0) : String(Number(value.toPrecision(3)))).replace("-", "−");

  const extent = (values, log, least) => {
    const good = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
    if (!good.length) return log ? [0.01, 10] : [0, 1];
    const [low, high] = [Math.min(...good), Math.max(...good)];
    if (!log) return [Math.min(0, low), high || 1];
    return [Math.max(least || 0, low / 1.3), Math.max(high * 1.3, low * 3)];
  };

  // Labels at the lines' ends, pushed apart so that none lies on another.
  const spread = (wanted, gap, low, high) => {
    const placed = wanted.map((y, i) => ({i, y})).sort((a, b) => a.y - b.y);
    placed.forEach((p, i) => { p.y = Math.max(p.y, i ? placed[i - 1].y + gap : low); });
    for (let i = placed.length - 1; i >= 0; i--) placed[i].y = Math.min(placed[i].y, i < placed.length - 1 ? placed[i + 1].y - gap : high);
    return placed.sort((a, b) => a.i - b.i).map((p) => p.y);
  };

  // ``series``: [{name, title, style, points: [[x, y], ...], bound}]; ``floor``: {value, title}.
  const chart = (box, {series, x: xAxis, y: yAxis, floor = null, height = 300, marks = false, label}) => {
    const width = Math.max(280, Math.round(box.clientWidth || 640));
    const named = width >= 560;
    const margin = {left: 46, right: named ? 132 : 14, top: 12, bottom: 40};
    const shown = series.map((one) => ({...one, points: one.points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && (!yAxis.log || b > 0) && (!xAxis.log || a > 0))}));
    const all = shown.flatMap((one) => one.points);
    const [x0, x1] = xAxis.range || extent(all.map((p) => p[0]), xAxis.log);
    const [y0, y1] = extent([...all.map((p) => p[1]), ...(floor ? [floor.value] : [])], yAxis.log, yAxis.least);
    const x = scale(x0, x1, margin.left, width - margin.right, xAxis.log);
    const y = scale(y0, y1, height - margin.bottom, margin.top, yAxis.log);
    const low = (value) => Math.min(height - margin.bottom, Math.max(margin.top, y(value)));
    const svg = s("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, class: "lab-chart"});
    grid(svg, {x, y, x0, x1, y0, y1, width, height, margin, xAxis, yAxis});
    if (floor) {
      svg.append(s("path", {d: `M${margin.left} ${low(floor.value)}H${width - margin.right}`, class: "lab-floor"}));
      if (named) svg.append(text(width - margin.right + 8, low(floor.value), floor.title, "lab-end lab-floor-name"));
    }
    const ends = shown.map((one) => (one.points.length ? low(one.points[one.points.length - 1][1]) : height));
    const drawn = shown.map((_, i) => i).filter((i) => shown[i].points.length);
    const names = spread([...drawn.map((i) => ends[i]), ...(floor ? [low(floor.value)] : [])], 15, margin.top, height - margin.bottom);
    drawn.forEach((i, at) => line(svg, shown[i], {x, low, marks, named, end: names[at], right: width - margin.right}));
    if (floor && named) svg.querySelector(".lab-floor-name").setAttribute("y", names[names.length - 1]);
    if (!all.length) svg.append(text(margin.left + (width - margin.left - margin.right) / 2, height / 2 - 10, "Press play: a line per learner is drawn here", "lab-none"));
    box.replaceChildren(svg);
  };

  const text = (x, y, words, name) => {
    const node = s("text", {x, y, class: name});
    node.textContent = words;
    return node;
  };

  const grid = (svg, {x, y, x0, x1, y0, y1, width, height, margin, xAxis, yAxis}) => {
    for (const value of ticks(y0, y1, yAxis.log, 5)) {
      svg.append(s("path", {d: `M${margin.left} ${y(value)}H${width - margin.right}`, class: "lab-grid"}), text(margin.left - 8, y(value), words(value), "lab-tick lab-tick-y"));
    }
    for (const value of xAxis.ticks || ticks(x0, x1, xAxis.log, width < 480 ? 4 : 8)) svg.append(text(x(value), height - margin.bottom + 16, words(value), "lab-tick lab-tick-x"));
    svg.append(text((margin.left + width - margin.right) / 2, height - 6, xAxis.title, "lab-axis"));
  };

  const line = (svg, one, {x, low, marks, named, end, right}) => {
    const path = one.points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${low(b).toFixed(1)}`).join("");
    const group = s("g", {"data-series": one.name, class: "lab-series"}, s("path", {d: path, fill: "none", stroke: one.style.ink, "stroke-dasharray": one.style.dash, class: "lab-line"}));
    const last = one.points[one.points.length - 1];
    (marks ? one.points : [last]).forEach(([a, b]) => group.append(mark(one.style, x(a), low(b))));
    if (named) {
      group.append(s("path", {d: `M${x(last[0]) + 5} ${low(last[1])}L${right + 5} ${end}`, class: "lab-leader"}), text(right + 8, end, one.title, "lab-end"));
    }
    group.append(s("title"));
    group.lastChild.textContent = `${one.title}: ${words(last[1])}`;
    svg.append(group);
  };

  Object.assign(lab, {chart, look, key});
})();
