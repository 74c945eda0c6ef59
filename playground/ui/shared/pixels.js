// From bytes to canvases. A view's pixels arrive as {dtype, shape, b64}; nothing is compressed, nothing is a file.
"use strict";
(() => {
  const pg = window.playground;

  const bytes = (b64) => Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));

  // {data, shape, at(...leading indices) -> {data, height, width, channels}} of (..., height, width, channels) uint8.
  const unpack = (packed) => {
    const data = bytes(packed.b64);
    const [height, width, channels] = packed.shape.slice(-3);
    const leading = packed.shape.slice(0, -3);
    const size = height * width * channels;
    const at = (...index) => {
      const which = index.reduce((sum, i, axis) => sum * leading[axis] + i, 0);
      return {data: data.subarray(which * size, (which + 1) * size), height, width, channels};
    };
    return {leading, height, width, channels, at};
  };

  // Paints one picture at its own size; the style sheet enlarges it without smoothing.
  const paint = (canvas, picture) => {
    const {data, height, width, channels} = picture;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let i = 0, j = 0; i < data.length; i += channels, j += 4) {
      image.data[j] = data[i];
      image.data[j + 1] = data[channels === 3 ? i + 1 : i];
      image.data[j + 2] = data[channels === 3 ? i + 2 : i];
      image.data[j + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    canvas.classList.toggle("pg-grey", channels === 1); // only grey pictures may be shown as ink on paper
    return canvas;
  };

  // A whole number of screen pixels per picture pixel, so that all are equally large; where that would waste the room,
  // any number, and smoothed.
  const scale = (size, room) => {
    const exact = room / size;
    return exact >= 3 ? Math.floor(exact) * size : Math.floor(room);
  };
  const whole = (size, shown) => shown % size === 0;

  Object.assign(pg, {bytes, unpack, paint, scale, whole});
})();
