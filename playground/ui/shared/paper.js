// Paper: strokes kept as data, and the ink they leave. Taking one back is exact, at any size and on any screen.
//
// A stroke is {tool, width, colour, at}: tool pen, eraser, hide or show (the mask), image or clear; width in 256ths of
// the paper's side; at [x, y, pressure, ...], x and y from 0 to 4095, pressure from 0 to 15 (0: none is known). What a
// model sees is drawn from the strokes alone, on a sheet of 448 x 448, so that a link gives everybody the same.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  const UNIT = 4096;
  const SHEET = 448; // 16 x 28, 14 x 32 and 7 x 64: averages down to whole pixels
  const IMAGE = 64; // pixels of a side of an imported picture
  const KEEP = 4; // snapshots of a layer, one for every ...
  const EVERY = 128; // ... strokes: taking one back draws no more than these again
  const PALETTE = ["", "#d7263d", "#f08a24", "#f4c20d", "#2e933c", "#2f6fde", "#7b4bb7", "#8a5a3c", "#8d939c", "#ffffff"]; // the first is ink
  const ON = {ink: ["pen", "eraser", "image", "clear"], mask: ["hide", "show", "clear"]};

  // ---- one stroke on one layer
  const wide = (stroke, pressure) => (stroke.width / 256) * (pressure ? 0.35 + (1.3 * pressure) / 15 : 1);
  const even = ({at}) => { for (let i = 5; i < at.length; i += 3) if (at[i] !== at[2]) return false; return true; };

  // From point ``from`` on: through the middles between points, so that a quick hand leaves no corners.
  const trace = (context, size, stroke, from = 0) => {
    const {at} = stroke;
    const scale = size / UNIT;
    const [x, y] = [(i) => (at[3 * i] + 0.5) * scale, (i) => (at[3 * i + 1] + 0.5) * scale];
    const whole = from === 0 && even(stroke);
    const n = at.length / 3;
    Object.assign(context, {lineCap: "round", lineJoin: "round", lineWidth: Math.max(0.5, wide(stroke, at[2]) * size)});
    if (whole) { context.beginPath(); context.moveTo(x(0), y(0)); }
    const middle = (i) => [(x(i - 1) + x(i)) / 2, (y(i - 1) + y(i)) / 2]; // between a point and the one before
    for (let i = from; i < n; i++) {
      if (!whole) {
        context.lineWidth = Math.max(0.5, wide(stroke, at[3 * i + 2]) * size);
        context.beginPath();
        context.moveTo(...(i < 2 ? [x(0), y(0)] : middle(i - 1)));
      }
      if (i > 1) context.quadraticCurveTo(x(i - 1), y(i - 1), ...middle(i));
      if (i === 0) context.lineTo(x(0), y(0) + 0.01); // a dot is a line too
      else if (!whole || i === n - 1) context.lineTo(x(i), y(i));
      else if (i === 1) context.lineTo(...middle(1));
      if (!whole) context.stroke();
    }
    if (whole) context.stroke();
  };

  // A layer is ink or a mask at one size; ``coloured``: pictures and pens keep their colours, else all is ink.
  const layer = (size, what, {canvas = h("canvas"), ink = "#000", coloured = false, crisp = false} = {}) => {
    Object.assign(canvas, {width: size, height: size});
    return {canvas, size, what, ink, coloured, crisp, context: canvas.getContext("2d", {willReadFrequently: !crisp}), drawn: [], saved: []};
  };
  const dress = ({context, ink, coloured}, stroke) => {
    context.globalCompositeOperation = stroke.tool === "eraser" || stroke.tool === "show" ? "destination-out" : "source-over";
    context.strokeStyle = stroke.tool === "pen" && coloured && stroke.colour ? PALETTE[stroke.colour] : ink;
  };
  const put = (on, stroke) => {
    if (!ON[on.what].includes(stroke.tool)) return;
    const {context, size} = on;
    context.globalCompositeOperation = "source-over";
    if (stroke.tool === "clear") context.clearRect(0, 0, size, size);
    else if (stroke.tool === "image") context.drawImage(bitmap(stroke, on), 0, 0, size, size);
    else { dress(on, stroke); trace(context, size, stroke); }
  };

  // Brings a layer to show just these strokes, drawing as few of them as it can.
  const bring = (on, strokes) => {
    const {drawn, saved, context, size} = on;
    let same = 0;
    while (same < drawn.length && same < strokes.length && drawn[same] === strokes[same]) same++;
    if (same < drawn.length) {
      while (saved.length && saved[saved.length - 1].count > same) saved.pop();
      const last = saved[saved.length - 1];
      context.globalCompositeOperation = "source-over";
      context.clearRect(0, 0, size, size);
      if (last) context.drawImage(last.canvas, 0, 0);
      same = last ? last.count : 0;
    }
    for (let i = same; i < strokes.length; i++) {
      put(on, strokes[i]);
      const count = i + 1;
      if (count % EVERY || strokes.length - count > KEEP * EVERY) continue;
      const canvas = h("canvas", {width: size, height: size});
      canvas.getContext("2d").drawImage(on.canvas, 0, 0);
      saved.push({count, canvas});
      if (saved.length > KEEP) saved.shift();
    }
    on.drawn = strokes.slice();
    return on;
  };

  // ---- pictures among the strokes
  // How much ink each pixel of a picture is: what differs from the paper, which is what most of its edge looks like.
  const inked = ({side, channels, data}) => {
    if (channels === 1) return data;
    const grey = Float32Array.from({length: side * side}, (_, i) => (data[3 * i] * 2 + data[3 * i + 1] * 5 + data[3 * i + 2]) / 8);
    const edge = [...Array(side).keys()].flatMap((i) => [grey[i], grey[side * (side - 1) + i], grey[side * i], grey[side * i + side - 1]]).sort((a, b) => a - b);
    const paper = edge[edge.length >> 1];
    const amount = grey.map((v) => (paper > 127 ? paper - v : v - paper));
    const top = [...amount].sort((a, b) => a - b)[Math.floor(0.98 * amount.length)];
    return Uint8Array.from(amount, (v) => Math.max(0, Math.min(255, Math.round((255 * (v - 0.08 * top)) / Math.max(24, 0.92 * top)))));
  };
  const bitmap = (stroke, {coloured, ink, crisp}) => {
    if (coloured && crisp && stroke.fine) return stroke.fine;
    const {side, channels, data} = stroke;
    const canvas = h("canvas", {width: side, height: side});
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    const amount = coloured && channels === 3 ? null : inked(stroke);
    for (let i = 0; i < side * side; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = amount ? 0 : data[3 * i + c];
      image.data[4 * i + 3] = amount ? amount[i] : 255;
    }
    context.putImageData(image, 0, 0);
    if (amount) { // in the ink's own colour
      context.globalCompositeOperation = "source-in";
      context.fillStyle = ink;
      context.fillRect(0, 0, side, side);
    }
    return canvas;
  };
  const pictured = (stroke, ink) => bitmap(stroke, {ink, coloured: true, crisp: false}).toDataURL("image/png");
  const sixteenths = (data) => data.map((v) => 17 * Math.round(v / 17)); // few levels: it then fits into an address
  // A picture file as a stroke: its middle square. The browser makes it small while it decodes it.
  const imported = async (file, colours) => {
    const begun = await createImageBitmap(file, {resizeWidth: 896, resizeQuality: "medium"});
    const square = Math.min(begun.width, begun.height);
    const cut = (size) => {
      const canvas = h("canvas", {width: size, height: size});
      const context = canvas.getContext("2d");
      Object.assign(context, {fillStyle: "#fff", imageSmoothingQuality: "high"});
      context.fillRect(0, 0, size, size);
      context.drawImage(begun, (begun.width - square) / 2, (begun.height - square) / 2, square, square, 0, 0, size, size);
      return canvas;
    };
    const {data: pixels} = cut(IMAGE).getContext("2d").getImageData(0, 0, IMAGE, IMAGE);
    const rgb = Uint8Array.from({length: IMAGE * IMAGE * 3}, (_, i) => pixels[4 * Math.floor(i / 3) + (i % 3)]);
    const whole = {tool: "image", side: IMAGE, channels: 3, data: rgb};
    return colours ? {...whole, data: sixteenths(rgb), fine: cut(SHEET)} : {...whole, channels: 1, data: sixteenths(inked(whole))};
  };

  // ---- what a model sees: (side x side) averaged down from the sheet
  const sampled = (on, side, channels) => {
    const {data} = on.context.getImageData(0, 0, SHEET, SHEET);
    const out = new Uint8Array(side * side * channels);
    const begins = Array.from({length: side + 1}, (_, i) => Math.floor((i * SHEET) / side));
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
      const sums = [0, 0, 0];
      let n = 0;
      for (let y = begins[row]; y < begins[row + 1]; y++) for (let x = begins[column]; x < begins[column + 1]; x++, n++) {
        const i = 4 * (y * SHEET + x);
        const a = data[i + 3];
        if (channels === 1) sums[0] += a;
        else for (let c = 0; c < 3; c++) sums[c] += 255 + ((data[i + c] - 255) * a) / 255; // on white
      }
      for (let c = 0; c < channels; c++) out[(row * side + column) * channels + c] = Math.round(sums[c] / n);
    }
    return {data: out, height: side, width: side, channels};
  };

  // ---- strokes for models that draw with a pen: those of the pen since the last clearing, without what was rubbed out
  const rubbed = (strokes, eraser) => strokes.flatMap((stroke) => {
    const pieces = [[]];
    for (let i = 0; i < stroke.at.length; i += 3) {
      const [x, y] = [stroke.at[i], stroke.at[i + 1]];
      const near = (eraser.width / 512) * UNIT;
      let gone = false;
      for (let j = 0; j < eraser.at.length && !gone; j += 3) gone = Math.hypot(eraser.at[j] - x, eraser.at[j + 1] - y) < near;
      if (gone) { if (pieces[pieces.length - 1].length) pieces.push([]); } else pieces[pieces.length - 1].push(x, y, stroke.at[i + 2]);
    }
    return pieces.filter((at) => at.length).map((at) => ({...stroke, at}));
  });
  const penned = (strokes) => {
    const from = strokes.map((s) => s.tool).lastIndexOf("clear") + 1;
    let left = [];
    for (const stroke of strokes.slice(from)) {
      if (stroke.tool === "pen") left.push(stroke);
      if (stroke.tool === "eraser") left = rubbed(left, stroke);
    }
    const round = (v) => Number(Math.max(0, Math.min(1, (v + 0.5) / UNIT)).toFixed(4));
    return left.map(({at}) => Array.from({length: at.length / 3}, (_, i) => [round(at[3 * i]), round(at[3 * i + 1])]));
  };

  // ---- a book of strokes: what has been done and what was taken back
  const book = () => {
    let strokes = [];
    let undone = [];
    const sheets = {}; // made when first asked for
    const sheet = (what, coloured) => {
      const name = `${what}/${coloured}`;
      sheets[name] = sheets[name] || layer(SHEET, what, {coloured});
      return bring(sheets[name], strokes);
    };
    return {
      strokes: () => strokes,
      add: (stroke) => { strokes = [...strokes, stroke]; undone = []; },
      load: (given) => { strokes = given; undone = []; },
      undo: () => { if (strokes.length) { undone.push(strokes[strokes.length - 1]); strokes = strokes.slice(0, -1); } },
      redo: () => { if (undone.length) strokes = [...strokes, undone.pop()]; },
      can: () => ({undo: strokes.length > 0, redo: undone.length > 0}),
      ink: (side, channels) => sampled(sheet("ink", channels === 3), side, channels),
      mask: (side) => { const made = sampled(sheet("mask", false), side, 1); return {...made, data: made.data.map((v) => (v > 64 ? 255 : 0))}; },
      pen: () => penned(strokes),
    };
  };

  pg.paper = {UNIT, SHEET, PALETTE, layer, bring, trace, dress, imported, pictured, book};
})();
