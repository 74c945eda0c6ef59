// What is drawn over a plane of the laboratory: the arrows of a field, a warped grid, the path of a start point.
"use strict";
(() => {
  const pg = window.playground;
  const lab = window.lab;
  const HALF = 4.5; // every plane shows [-4.5, 4.5]^2

  const floats = (packed) => new Float32Array(pg.bytes(packed.b64).buffer);
  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--pg-${name}`).trim();

  // A cleared pen at the screen's own resolution, and where a point of the plane is, in CSS pixels.
  const pen = (canvas) => {
    const ratio = window.devicePixelRatio || 1;
    const size = canvas.clientWidth;
    const sharp = Math.round(size * ratio);
    if (canvas.width !== sharp || canvas.height !== sharp) Object.assign(canvas, {width: sharp, height: sharp});
    const context = canvas.getContext("2d");
    context.setTransform(sharp / size, 0, 0, sharp / size, 0, 0);
    context.clearRect(0, 0, size, size);
    const at = (x, y) => [((x + HALF) / (2 * HALF)) * size, ((HALF - y) / (2 * HALF)) * size];
    return {context, at, size};
  };

  // Ink and what surrounds it: the two ends of the map's colours, so that one of them is seen on every colour.
  const INKS = {light: {ink: "#15171c", halo: "rgb(255 255 255 / 0.8)", first: "#9a4b00", second: "#1449a8", end: "#e07b00", walker: "#2d7ff0"},
    dark: {ink: "#ffffff", halo: "rgb(8 10 20 / 0.75)", first: "#ffb454", second: "#8fd3ff", end: "#ffb454", walker: "#8fd3ff"}};
  const inks = () => INKS[document.body.classList.contains("dark") ? "dark" : "light"];

  // The same line twice, a thin one on a wide one.
  const twice = (context, path, {width = 1.5, ink = inks().ink, halo = inks().halo} = {}) => {
    Object.assign(context, {lineCap: "round", lineJoin: "round", lineWidth: width + 1.9, strokeStyle: halo});
    context.stroke(path);
    Object.assign(context, {lineWidth: width, strokeStyle: ink});
    context.stroke(path);
  };

  const longest = (vectors) => {
    let most = 0;
    for (let i = 0; i < vectors.length; i += 2) most = Math.max(most, Math.hypot(vectors[i], vectors[i + 1]));
    return most;
  };

  // n x n arrows, row 0 at the top, centred on their cells. Strengths differ by a thousand, so a length is the square
  // root of a strength, and the longest fills its cell.
  const arrows = ({context, size}, vectors, n) => {
    const cell = size / n;
    const most = longest(vectors);
    const path = new Path2D();
    if (!most) return most;
    for (let i = 0; i < n * n; i++) {
      const [u, v] = [vectors[2 * i], -vectors[2 * i + 1]];
      const strength = Math.hypot(u, v);
      if (!(strength > 0)) continue;
      const length = Math.max(1.5, 0.98 * cell * Math.sqrt(strength / most));
      const [dx, dy] = [(u / strength) * length, (v / strength) * length];
      const [x, y] = [((i % n) + 0.5) * cell + dx / 2, (Math.floor(i / n) + 0.5) * cell + dy / 2];
      path.moveTo(x - dx, y - dy);
      path.lineTo(x, y);
      const [bx, by] = [0.36 * dx, 0.36 * dy];
      path.moveTo(x - bx - 0.6 * by, y - by + 0.6 * bx);
      path.lineTo(x, y);
      path.lineTo(x - bx + 0.6 * by, y - by - 0.6 * bx);
    }
    twice(context, path, {width: 1.3});
    return most;
  };

  const polyline = (at, points) => {
    const path = new Path2D();
    let down = false;
    for (const [x, y] of points) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) { down = false; continue; }
      path[down ? "lineTo" : "moveTo"](...at(x, y));
      down = true;
    }
    return path;
  };

  // Lines of one latent in orange, of the other in blue: the first half of them holds the first latent fixed.
  const grid = ({context, at}, lines) => lines.forEach((line, i) => {
    const first = i < lines.length / 2;
    twice(context, polyline(at, line), {width: 1.2, ink: first ? inks().first : inks().second});
  });

  const spot = ({context, at}, [x, y], radius, fill) => {
    context.beginPath();
    context.arc(...at(x, y), radius, 0, 2 * Math.PI);
    Object.assign(context, {fillStyle: fill, strokeStyle: inks().halo, lineWidth: 2});
    context.fill();
    context.stroke();
  };

  // The whole way of a start point, few states as dots, its end as a ring; ``moment`` in [0, 1] is where the walker is.
  const route = (paper, states, moment) => {
    const {context, at} = paper;
    twice(context, polyline(at, states), {width: 2});
    if (states.length <= 12) states.slice(1, -1).forEach((state) => spot(paper, state, 2.5, inks().ink));
    spot(paper, states[states.length - 1], 6.5, inks().end);
    if (moment === null) return;
    const place = moment * (states.length - 1);
    const [before, after] = [states[Math.floor(place)], states[Math.ceil(place)]];
    const part = place - Math.floor(place);
    spot(paper, before.map((v, axis) => v + part * (after[axis] - v)), 5, inks().walker);
  };

  // Arrows from points along their own vectors, [x, y, u, v] each, the longest ``reach`` pixels long.
  const pushes = ({context, at}, pushed, reach = 20) => {
    const most = Math.max(...pushed.map(([, , u, v]) => Math.hypot(u, v))) || 1;
    const path = new Path2D();
    for (const [px, py, u, v] of pushed) {
      const [x, y] = at(px, py);
      const [dx, dy] = [(reach * u) / most, (-reach * v) / most];
      path.moveTo(x, y);
      path.lineTo(x + dx, y + dy);
      path.moveTo(x + 0.7 * dx - 0.2 * dy, y + 0.7 * dy + 0.2 * dx);
      path.lineTo(x + dx, y + dy);
      path.lineTo(x + 0.7 * dx + 0.2 * dy, y + 0.7 * dy - 0.2 * dx);
    }
    twice(context, path, {width: 1});
  };

  // Latest wins: while one question is on its way only the newest of those that come is kept.
  const pump = (work) => {
    let busy = false;
    let next = null;
    return async (asked) => {
      next = {asked};
      if (busy) return;
      busy = true;
      while (next) {
        const now = next.asked;
        next = null;
        await work(now);
      }
      busy = false;
    };
  };

  Object.assign(lab, {HALF, floats, colour, pen, over: {arrows, grid, route, pushes}, pump});
})();
