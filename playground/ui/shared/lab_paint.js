// Paints one plane: a map of density or of a difference, the truth's outline, points. One colour scale for all panels.
"use strict";
window.lab = window.lab || {};
(() => {
  const lab = window.lab;
  const SIDE = 64; // cells a side of every map
  const HALF = 4.5; // every plane shows [-4.5, 4.5]^2
  const NONE = -32768; // in a map: not a number
  const GAMMA = 0.45; // colours grow with this power of the density, so that a hundredth of the peak is still seen
  const LARGE = 400; // pixels a side, from which on the smoothest colours are seen, and worth twice the time
  const MASS = 0.9; // of the truth, within its outline

  // From no density to the most; lightness rises (or falls) all the way, so that it reads without colour too.
  const RAMPS = {
    light: ["#ffffff", "#e3f1e4", "#b5dfc0", "#7cc8a4", "#46a796", "#2b8089", "#2d5a82", "#34376f", "#2b1648"],
    dark: ["#14171d", "#1f1d3d", "#323071", "#35578c", "#2b7d8e", "#25a085", "#5fc265", "#b4da3f", "#fdee6b"],
  };
  // Too little, as much as the truth, too much: blue and orange, which all eyes tell apart.
  const SPLITS = {
    light: ["#0b3c8c", "#3f83cf", "#a9cdee", "#fbfaf7", "#f9c68f", "#dd7f1f", "#8f4400"],
    dark: ["#8cc7ff", "#3d8fdc", "#1c4676", "#15181e", "#6e3b10", "#d9791f", "#ffc07a"],
  };
  const INK = {light: {point: "rgb(20 16 32 / 0.62)", alone: "rgb(45 78 207 / 0.72)", outline: "rgb(91 97 107 / 0.75)"},
    dark: {point: "rgb(255 255 255 / 0.72)", alone: "rgb(170 187 255 / 0.85)", outline: "rgb(154 161 173 / 0.75)"}};

  const night = () => (document.body.classList.contains("dark") ? "dark" : "light");

  // 256 colours between the given ones, as (256 x 3) bytes.
  const table = (colours) => {
    const rgb = colours.map((c) => [1, 3, 5].map((at) => parseInt(c.slice(at, at + 2), 16)));
    const made = new Uint8ClampedArray(256 * 3);
    for (let i = 0; i < 256; i++) {
      const place = (i / 255) * (rgb.length - 1);
      const low = Math.min(rgb.length - 2, Math.floor(place));
      for (let c = 0; c < 3; c++) made[3 * i + c] = rgb[low][c] + (place - low) * (rgb[low + 1][c] - rgb[low][c]);
    }
    return made;
  };
  const tables = {};
  for (const mode of ["light", "dark"]) tables[mode] = {ramp: table(RAMPS[mode]), split: table(SPLITS[mode])};

  // ---- the one scale: its end is the truth's peak
  const peaks = new WeakMap(); // of the truths' own maps
  const peak = (logp) => logp.reduce((most, v) => (v > most ? v : most), -Infinity);
  const crown = (logp) => { peaks.set(logp, peak(logp)); return logp; };
  const topOf = (logp) => peaks.get(logp) ?? (lab.target && lab.target.logp ? peaks.get(lab.target.logp) : null) ?? peak(logp);

  const height = (nats, top) => (nats > -1e4 ? Math.exp(GAMMA * (nats - top)) : 0);
  const share = {
    density: (logp, top) => (i) => height(logp[i], top),
    difference: (logp, top, truth) => (i) => {
      const gap = Math.exp(logp[i] - top) - (truth[i] > -1e4 ? Math.exp(truth[i] - top) : 0);
      return 0.5 + 0.5 * Math.sign(gap) * Math.min(1, Math.abs(gap) ** 0.6);
    },
    verdict: (values) => (i) => 0.5 - 0.5 * Math.tanh(values[i] / 2), // where it says data: blue
  };

  const scrap = document.createElement("canvas");
  scrap.width = scrap.height = SIDE;
  const scrapContext = scrap.getContext("2d");
  const image = scrapContext.createImageData(SIDE, SIDE);
  const fill = (shareAt, colours) => {
    const {data} = image;
    for (let i = 0, j = 0; i < SIDE * SIDE; i++, j += 4) {
      const value = shareAt(i);
      const c = 3 * Math.round(255 * (value > 1 ? 1 : value > 0 ? value : 0));
      [data[j], data[j + 1], data[j + 2], data[j + 3]] = [colours[c], colours[c + 1], colours[c + 2], 255];
    }
    scrapContext.putImageData(image, 0, 0);
  };

  // ---- the truth's outline: where its densest cells that hold MASS of it end
  const level = (logp) => {
    const cells = Float32Array.from(logp, (v) => (v > -1e4 ? Math.exp(v) : 0)).sort().reverse();
    const whole = cells.reduce((sum, p) => sum + p, 0);
    let [sum, i] = [0, 0];
    while (i < cells.length - 1 && sum < MASS * whole) sum += cells[i++];
    return Math.log(Math.max(cells[i], 1e-12));
  };
  const trace = (logp) => {
    const path = new Path2D();
    const at = level(logp);
    const value = (row, column) => Math.max(logp[row * SIDE + column], -1e4) - at;
    const cross = (a, b) => a / (a - b);
    for (let r = 0; r < SIDE - 1; r++) {
      for (let c = 0; c < SIDE - 1; c++) {
        const [nw, ne, sw, se] = [value(r, c), value(r, c + 1), value(r + 1, c), value(r + 1, c + 1)];
        const ends = [];
        if (nw > 0 !== ne > 0) ends.push([c + cross(nw, ne), r]);
        if (ne > 0 !== se > 0) ends.push([c + 1, r + cross(ne, se)]);
        if (sw > 0 !== se > 0) ends.push([c + cross(sw, se), r + 1]);
        if (nw > 0 !== sw > 0) ends.push([c, r + cross(nw, sw)]);
        for (let k = 0; k + 1 < ends.length; k += 2) {
          path.moveTo((ends[k][0] + 0.5) / SIDE, (ends[k][1] + 0.5) / SIDE);
          path.lineTo((ends[k + 1][0] + 0.5) / SIDE, (ends[k + 1][1] + 0.5) / SIDE);
        }
      }
    }
    return path;
  };
  const outlines = new WeakMap();
  const outlineOf = (logp) => {
    if (!outlines.has(logp)) outlines.set(logp, trace(logp));
    return outlines.get(logp);
  };

  const drawPoints = (context, points, size, colour) => {
    context.fillStyle = colour;
    const scale = context.canvas.width / (2 * HALF);
    for (let i = 0; i < points.length; i += 2) {
      context.fillRect((points[i] + HALF) * scale - size / 2, (HALF - points[i + 1]) * scale - size / 2, size, size);
    }
  };

  // Of ``logp``, ``difference`` (the truth's map, to compare with) and ``verdict`` the last one given is the ground;
  // ``points`` lie over it; ``outline``: the truth's map whose outline is drawn.
  const paint = (canvas, {logp = null, points = null, difference = null, verdict = null, outline = null}) => {
    const ratio = window.devicePixelRatio || 1;
    const size = Math.round((canvas.clientWidth || SIDE) * ratio);
    if (canvas.width !== size || canvas.height !== size) Object.assign(canvas, {width: size, height: size});
    const mode = night();
    const context = canvas.getContext("2d");
    if (verdict) fill(share.verdict(verdict), tables[mode].split);
    else if (logp && difference) fill(share.difference(logp, topOf(difference), difference), tables[mode].split);
    else if (logp) fill(share.density(logp, topOf(logp)), tables[mode].ramp);
    if (verdict || logp) {
      Object.assign(context, {imageSmoothingEnabled: true, imageSmoothingQuality: size > LARGE ? "high" : "medium"});
      context.drawImage(scrap, 0, 0, size, size);
    } else {
      context.fillStyle = RAMPS[mode][0];
      context.fillRect(0, 0, size, size);
    }
    if (outline) {
      context.save();
      context.scale(size, size);
      Object.assign(context, {lineWidth: (1.1 * ratio) / size, strokeStyle: INK[mode].outline});
      context.stroke(outlineOf(outline));
      context.restore();
    }
    const ground = verdict || logp;
    if (points) drawPoints(context, points, Math.max(1, (ground ? 1.15 : 1.6) * ratio * Math.max(1, size / ratio / 260)), ground ? INK[mode].point : INK[mode].alone);
    return canvas;
  };

  // ---- from the wire
  const int16 = (b64, scale) => {
    const raw = new Int16Array(window.playground.bytes(b64).buffer);
    return Float32Array.from(raw, (v) => (v === NONE ? NaN : v / scale));
  };
  const floats = (b64) => new Float32Array(window.playground.bytes(b64).buffer);
  const cell = (x, y) => {
    const at = (v) => Math.max(0, Math.min(SIDE - 1, Math.floor(((v + HALF) / (2 * HALF)) * SIDE)));
    return at(-y) * SIDE + at(x);
  };
  const ramp = (kind = "density") => (kind === "density" ? RAMPS : SPLITS)[night()];

  Object.assign(lab, {paint, crown, int16, vectors: (answered) => floats(answered.vectors.b64), cell, ramp});
})();
