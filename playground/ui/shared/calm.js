// Gradio's clock of how long the page has been loading goes on for ever, 60 times a second, after what showed it is
// gone: nothing stops it when it is taken away while it still waits. Slowed to once a second it costs nothing.
"use strict";
(() => {
  const soon = window.requestAnimationFrame.bind(window);
  const CLOCK = /statustracker/; // the file it comes from
  window.requestAnimationFrame = (draw) => (CLOCK.test(new Error().stack) ? setTimeout(() => soon(draw), 1000) : soon(draw));
})();
