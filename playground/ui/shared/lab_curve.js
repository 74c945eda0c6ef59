// A small chart of a learner's losses against its own seconds: one line per player, named at its end.
"use strict";
(() => {
  const lab = window.lab;
  const MARGIN = {left: 40, right: 10, top: 10, bottom: 22};
  // Told apart without colour as well: the second and third player's lines are dashed.
  const STYLES = [{ink: "accent", dash: []}, {ink: "second", dash: [6, 4]}, {ink: "soft", dash: [2, 3]}];

  // A round number of at most five steps over a range.
  const ticks = (low, high, most = 4) => {
    const raw = (high - low) / most || 1;
    const size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * size).find((s) => s >= raw);
    const from = Math.ceil(low / step - 1e-9);
    return Array.from({length: Math.floor(high / step + 1e-9) - from + 1}, (_, i) => (from + i) * step);
  };
  const label = (value) => String(Number(value.toPrecision(3))).replace("-", "−");

  // The middle 98 % of the values, so that one wild first step does not flatten the rest.
  const range = (values) => {
    const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
    if (!sorted.length) return [0, 1];
    const low = sorted[Math.floor(0.01 * (sorted.length - 1))];
    const high = sorted[Math.ceil(0.99 * (sorted.length - 1))];
    const room = 0.08 * (high - low) || 0.5 * Math.abs(high) || 1;
    return [low - room, high + room];
  };

  // ``series``: {player: [[seconds, loss], ...]}; ``until``: where the axis ends, in seconds, at least.
  const curve = (canvas, series, until = 0) => {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    Object.assign(canvas, {width: Math.round(width * ratio), height: Math.round(height * ratio)});
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const names = Object.keys(series);
    const all = names.flatMap((name) => series[name]).filter(([s]) => s >= 0);
    const right = Math.max(until, ...all.map(([s]) => s), 1e-3);
    const [low, high] = range(all.map(([, loss]) => loss));
    const x = (s) => MARGIN.left + (s / right) * (width - MARGIN.left - MARGIN.right);
    const y = (v) => height - MARGIN.bottom - ((v - low) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);
    axes(context, {x, y, low, high, right, width, height});
    names.forEach((name, i) => line(context, series[name].filter(([s]) => s >= 0), STYLES[i % STYLES.length], {x, y, low, high}));
  };

  const axes = (context, {x, y, low, high, right, width, height}) => {
    Object.assign(context, {font: `11px ${getComputedStyle(document.body).fontFamily}`, fillStyle: lab.colour("soft"),
      strokeStyle: lab.colour("line"), lineWidth: 1, textBaseline: "middle", textAlign: "right"});
    for (const value of ticks(low, high, 3)) {
      context.beginPath();
      context.moveTo(MARGIN.left, Math.round(y(value)) + 0.5);
      context.lineTo(width - MARGIN.right, Math.round(y(value)) + 0.5);
      context.stroke();
      context.fillText(label(value), MARGIN.left - 7, y(value));
    }
    context.textBaseline = "alphabetic";
    const times = ticks(0, right, Math.max(2, Math.floor(width / 90)));
    times.forEach((value, i) => {
      context.textAlign = i === 0 ? "left" : x(value) > width - 30 ? "right" : "center";
      context.fillText(`${label(value)} s`, x(value), height - 6);
    });
  };

  const line = (context, points, style, {x, y, low, high}) => {
    Object.assign(context, {strokeStyle: lab.colour(style.ink) || lab.colour("soft"), lineWidth: 1.75, lineJoin: "round"});
    context.setLineDash(style.dash);
    context.beginPath();
    points.forEach(([s, v], i) => context[i ? "lineTo" : "moveTo"](x(s), y(Math.max(low, Math.min(high, v)))));
    context.stroke();
    context.setLineDash([]);
  };

  Object.assign(lab, {drawCurve: curve});
})();
