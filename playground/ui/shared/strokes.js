// Drawings as a pen draws them: the visitor's part in ink, the model's in the accent colour, drawn at the speed chosen.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  const SPEEDS = [0.5, 1, 2, 4];
  const PACE = 1.1; // pages' sides that the pen goes in a second, at speed 1
  const LIFT = 0.12; // of a side: what lifting the pen and putting it down again costs
  const WIDTH = 1 / 64; // of a line, in sides
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // The lines of a drawing with the way that the pen has gone when each of their points is reached. The visitor's points
  // are there from the beginning: only the model's pen is waited for.
  const measured = (strokes, given) => {
    let way = 0;
    let left = given;
    const lines = strokes.map((stroke) => {
      const own = left > 0;
      left -= stroke.length;
      const at = stroke.map(([x, y], i) => {
        if (!own) way += i ? Math.hypot(x - stroke[i - 1][0], y - stroke[i - 1][1]) : LIFT;
        return own ? 0 : way;
      });
      return {stroke, own, at};
    });
    return {lines, way};
  };

  // ---- painting: everything up to a way, the last segment in part
  const paint = (canvas, drawing, way, colours) => {
    const side = canvas.width;
    const pen = canvas.getContext("2d");
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, side, side);
    Object.assign(pen, {lineWidth: Math.max(1.5, side * WIDTH), lineCap: "round", lineJoin: "round"});
    for (const {stroke, own, at} of drawing.lines) {
      if (at[0] > way) break;
      pen.strokeStyle = own ? colours.ink : colours.accent;
      pen.beginPath();
      pen.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      pen.lineTo(stroke[0][0] * side, stroke[0][1] * side); // a dot, where there is nothing more
      for (let i = 1; i < stroke.length; i++) {
        const [[a, b], [c, d]] = [stroke[i - 1], stroke[i]];
        const share = at[i] <= way ? 1 : (way - at[i - 1]) / (at[i] - at[i - 1]);
        pen.lineTo((a + share * (c - a)) * side, (b + share * (d - b)) * side);
        if (share < 1) break;
      }
      pen.stroke();
    }
  };

  const colours = (node) => {
    const style = getComputedStyle(node);
    const [paper, ink, accent] = ["panel", "ink", "accent"].map((name) => style.getPropertyValue(`--pg-${name}`).trim());
    return {paper, ink, accent};
  };

  // ---- the clock: one for all drawings of a view, each at its own way
  const show = (film, way) => {
    film.way = Math.max(0, Math.min(film.longest, way));
    film.slider.value = film.longest ? film.way / film.longest : 1;
    film.slider.style.setProperty("--filled", `${100 * film.slider.value}%`);
    const paint_with = colours(film.node);
    film.canvases.forEach((canvas, i) => paint(canvas, film.drawings[i], film.way, paint_with));
  };

  const stop = (film) => {
    cancelAnimationFrame(film.playing);
    film.playing = null;
    film.button.replaceChildren(pg.icon("play"));
    film.button.setAttribute("aria-label", "Draw it again");
  };

  const play = (film) => {
    if (film.way >= film.longest) show(film, 0);
    let last = null;
    const tick = (now) => {
      if (!film.node.isConnected) return stop(film);
      show(film, film.way + (last === null ? 0 : ((now - last) / 1000) * PACE * film.speed));
      last = now;
      if (film.way >= film.longest) return stop(film);
      film.playing = requestAnimationFrame(tick);
    };
    film.playing = requestAnimationFrame(tick);
    film.button.replaceChildren(pg.icon("pause"));
    film.button.setAttribute("aria-label", "Pause");
  };

  const build = (node) => {
    const film = {node, speed: 1, playing: null, way: 0, longest: 0, drawings: [], canvases: []};
    film.sheet = h("div.pg-drawings");
    film.slider = h("input.pg-range", {type: "range", min: 0, max: 1, step: "any", value: 1, "aria-label": "how far the pen has come",
      oninput: () => { stop(film); show(film, Number(film.slider.value) * film.longest); }});
    film.button = pg.tool("play", "Draw it again", () => (film.playing ? stop(film) : play(film)), {"data-play": true});
    film.pace = h("button.pg-chip", {type: "button", title: "speed of the pen", "aria-label": "speed of the pen", onclick: () => {
      film.speed = SPEEDS[(SPEEDS.indexOf(film.speed) + 1) % SPEEDS.length];
      film.pace.textContent = `${film.speed}×`;
    }}, "1×");
    const file = (kind, save) => h("button.pg-link", {type: "button", "data-save": kind, "aria-label": `save as ${kind.toUpperCase()}`, onclick: () => save(film)}, kind.toUpperCase());
    film.bar = h("div.pg-pen-bar", {}, film.button, film.slider, film.pace, file("svg", saveSvg), file("png", savePng));
    node.replaceChildren(film.sheet, film.bar);
    new MutationObserver(() => film.canvases.length && show(film, film.way)).observe(document.body, {attributes: true, attributeFilter: ["class"]});
    return film;
  };

  // Node and view in, as every painter of views; the pen begins to draw unless motion is unwelcome.
  const draw = (node, view) => {
    const film = node.strokes || (node.strokes = build(node));
    stop(film);
    const {drawings, given = [], captions = []} = view;
    const columns = view.columns && node.clientWidth > 520 ? view.columns : Math.min(drawings.length, view.columns ? 4 : Math.ceil(Math.sqrt(drawings.length)));
    film.sheet.style.setProperty("--columns", columns);
    film.drawings = drawings.map((strokes, i) => measured(strokes, given[i] || 0));
    film.longest = Math.max(...film.drawings.map((d) => d.way));
    film.name = view.key;
    const side = Math.round(Math.max(96, Math.min(360, node.clientWidth / columns)) * (window.devicePixelRatio || 1));
    film.canvases = film.drawings.map((_, i) => h("canvas", {width: side, height: side, role: "img", "aria-label": `drawing ${i + 1}${captions[i] ? `, ${captions[i]}` : ""}`}));
    film.sheet.replaceChildren(...film.canvases.map((canvas, i) => h("div.pg-drawing", {}, canvas, h("span.pg-caption", {}, captions[i] || ""))));
    const version = `${view.run}.${view.at}`;
    const again = film.version === version && view.run !== undefined; // only drawn anew, for the page has another size
    film.version = version;
    show(film, again ? film.way : still() ? film.longest : 0);
    if (!again && !still()) play(film);
  };

  // ---- files: all the drawings of a view in one sheet, whole, dark on white whatever the page's colours
  const PAPER = {paper: "#ffffff", ink: "#15171c", accent: "#2d4ecf"};
  const SIDE = 240;
  const places = (film) => {
    const columns = Math.min(film.drawings.length, Number(film.sheet.style.getPropertyValue("--columns")) || 3);
    return {columns, rows: Math.ceil(film.drawings.length / columns), at: (i) => [(i % columns) * SIDE, Math.floor(i / columns) * SIDE]};
  };

  const svg = (film) => {
    const {columns, rows, at} = places(film);
    const path = ({stroke, own}) => {
      const d = stroke.map(([x, y], i) => `${i ? "L" : "M"}${(x * SIDE).toFixed(1)} ${(y * SIDE).toFixed(1)}`).join("") + (stroke.length === 1 ? "h0" : "");
      return `<path d="${d}" stroke="${own ? PAPER.ink : PAPER.accent}"/>`;
    };
    const group = (drawing, i) => `<g transform="translate(${at(i).join(" ")})">${drawing.lines.map(path).join("")}</g>`;
    const [width, height] = [columns * SIDE, rows * SIDE];
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
      `<rect width="100%" height="100%" fill="${PAPER.paper}"/>` +
      `<g fill="none" stroke-width="${SIDE * WIDTH}" stroke-linecap="round" stroke-linejoin="round">${film.drawings.map(group).join("")}</g></svg>\n`;
  };
  const saveSvg = (film) => pg.save(`${film.name}.svg`, `data:image/svg+xml,${encodeURIComponent(svg(film))}`);

  const savePng = (film) => {
    const {columns, rows, at} = places(film);
    const page = h("canvas", {width: columns * SIDE * 2, height: rows * SIDE * 2});
    const one = h("canvas", {width: SIDE * 2, height: SIDE * 2});
    film.drawings.forEach((drawing, i) => {
      paint(one, drawing, Infinity, PAPER);
      page.getContext("2d").drawImage(one, ...at(i).map((v) => 2 * v));
    });
    pg.save(`${film.name}.png`, page.toDataURL("image/png"));
  };

  Object.assign(pg, {drawStrokes: draw, strokesAsSvg: (node) => svg(node.strokes)});
})();
