// Strokes as text: for the address, behind the # that no server is sent, and inside a saved SVG.
//
// A byte of version, then for each sheet of paper: the number of strokes, and for each its tool and colour, its width,
// the number of its points, their differences (zigzag) and their pressures. All numbers are varints; then deflated.
"use strict";
(() => {
  const pg = window.playground;
  const {UNIT, PALETTE} = pg.paper;
  const VERSION = 1;
  const TOOLS = ["pen", "eraser", "hide", "show", "image", "clear"];
  const MOST = 32_000; // characters; longer addresses are cut off by what they are sent with
  const LARGEST = 4_000_000; // bytes, unpacked: no drawing has more

  // ---- numbers to bytes and back
  const writer = () => {
    const bytes = [];
    const number = (v) => { for (; v > 127; v >>>= 7) bytes.push((v & 127) | 128); bytes.push(v); };
    return {bytes, number, signed: (v) => number(v < 0 ? -2 * v - 1 : 2 * v)};
  };
  const reader = (bytes) => {
    let at = 0;
    const number = () => {
      let [value, shift, byte] = [0, 0, 0];
      do {
        if (at >= bytes.length || shift > 21) throw new RangeError("the drawing ends too soon");
        byte = bytes[at++];
        value |= (byte & 127) << shift;
        shift += 7;
      } while (byte > 127);
      return value;
    };
    return {number, signed: () => { const v = number(); return v & 1 ? -(v + 1) / 2 : v / 2; }, rest: () => bytes.length - at,
      byte: () => { if (at >= bytes.length) throw new RangeError("the drawing ends too soon"); return bytes[at++]; }};
  };

  const writeImage = ({side, channels, data}, out) => {
    out.number(side);
    out.number(channels);
    for (let i = 0; i < data.length; i += 2) out.bytes.push((data[i] / 17) << 4 | (i + 1 < data.length ? data[i + 1] / 17 : 0));
  };
  const readImage = (from) => {
    const [side, channels] = [from.number(), from.number()];
    if (side < 1 || side > 128 || ![1, 3].includes(channels)) throw new RangeError("no such picture");
    const data = new Uint8Array(side * side * channels);
    for (let i = 0; i < data.length; i += 2) {
      const two = from.byte();
      data[i] = 17 * (two >> 4);
      if (i + 1 < data.length) data[i + 1] = 17 * (two & 15);
    }
    return {side, channels, data};
  };

  const write = (stroke, out) => {
    out.number(TOOLS.indexOf(stroke.tool) + 8 * (stroke.colour || 0));
    if (stroke.tool === "clear") return;
    if (stroke.tool === "image") { writeImage(stroke, out); return; }
    const {at, width} = stroke;
    out.number(width);
    out.number(at.length / 3);
    const pressed = at.some((v, i) => i % 3 === 2 && v > 0);
    out.number(pressed ? 1 : 0);
    let [x, y] = [0, 0];
    for (let i = 0; i < at.length; i += 3) {
      out.signed(at[i] - x);
      out.signed(at[i + 1] - y);
      if (pressed) out.number(at[i + 2]);
      [x, y] = [at[i], at[i + 1]];
    }
  };
  const read = (from) => {
    const first = from.number();
    const [tool, colour] = [TOOLS[first & 7], first >> 3];
    if (!tool || colour >= PALETTE.length) throw new RangeError("no such tool");
    if (tool === "clear") return {tool};
    if (tool === "image") return {tool, ...readImage(from)};
    const [width, n, pressed] = [from.number(), from.number(), from.number()];
    if (width < 1 || width > 256 || n < 1 || n > from.rest()) throw new RangeError("no such stroke");
    const at = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < n; i++) {
      [x, y] = [x + from.signed(), y + from.signed()];
      if (Math.min(x, y) < -UNIT || Math.max(x, y) > 2 * UNIT) throw new RangeError("far off the paper");
      at.push(x, y, pressed ? Math.min(15, from.number()) : 0);
    }
    return {tool, width, colour, at};
  };

  // ---- all of it
  const through = async (bytes, stream) => {
    const parts = [];
    let size = 0;
    const flowing = new Blob([bytes]).stream().pipeThrough(stream).getReader();
    for (let {done, value} = await flowing.read(); !done; {done, value} = await flowing.read()) {
      size += value.length;
      if (size > LARGEST) throw new RangeError("too large a drawing");
      parts.push(value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  };
  const squeezes = "CompressionStream" in window;

  // The sheets as letters that an address bears; the first letter says whether they are deflated.
  const encode = async (sheets) => {
    const out = writer();
    out.number(VERSION);
    for (const strokes of sheets) {
      out.number(strokes.length);
      strokes.forEach((stroke) => write(stroke, out));
    }
    const plain = Uint8Array.from(out.bytes);
    const bytes = squeezes ? await through(plain, new CompressionStream("deflate-raw")) : plain;
    let binary = "";
    for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return (squeezes ? "d" : "p") + btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  // Raises: RangeError or TypeError, where the letters are no drawing.
  const decode = async (letters, most) => {
    let bytes;
    try { bytes = pg.bytes(letters.slice(1).replace(/-/g, "+").replace(/_/g, "/")); } catch { throw new RangeError("not the letters of a drawing"); }
    if (letters[0] === "d") bytes = await through(bytes, new DecompressionStream("deflate-raw"));
    const from = reader(bytes);
    if (from.number() !== VERSION) throw new RangeError("of another version");
    const sheets = [];
    while (from.rest() && sheets.length < most) {
      const n = from.number();
      if (n > from.rest()) throw new RangeError("the drawing ends too soon");
      sheets.push(Array.from({length: n}, () => read(from)));
    }
    return sheets;
  };

  // ---- an SVG with the same strokes in it: lines for everybody, letters for this page
  const svg = async (strokes, ink, ground) => {
    const from = strokes.map((s) => s.tool).lastIndexOf("clear") + 1;
    const share = (v) => Number(((v + 0.5) / UNIT * 1000).toFixed(1));
    const drawn = strokes.slice(from).map((stroke) => {
      if (stroke.tool === "image") return `<image width="1000" height="1000" href="${pg.paper.pictured(stroke, ink)}"/>`;
      if (!["pen", "eraser"].includes(stroke.tool)) return "";
      const colour = stroke.tool === "eraser" ? ground : PALETTE[stroke.colour] || ink;
      const {at} = stroke;
      const points = Array.from({length: at.length / 3}, (_, i) => `${share(at[3 * i])} ${share(at[3 * i + 1])}`);
      return `<path d="M${points[0]}L${(points.length > 1 ? points.slice(1) : points).join(" ")}" stroke="${colour}" stroke-width="${((1000 * stroke.width) / 256).toFixed(1)}"/>`;
    });
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" fill="none" stroke-linecap="round" stroke-linejoin="round">`
      + `<metadata>sketch:${await encode([strokes])}</metadata><rect width="1000" height="1000" fill="${ground}"/>${drawn.join("")}</svg>`;
  };
  const ofSvg = async (text) => {
    const found = /<metadata>sketch:([\w-]+)<\/metadata>/.exec(text);
    return found ? (await decode(found[1], 1))[0] : null;
  };

  pg.sketching = {encode, decode, svg, ofSvg, MOST};
})();
