// Work beside the plane's, on a wire of its own: one piece at a time, for whichever section asks for it.
"use strict";
(() => {
  const pg = window.playground;
  const {latent} = window;
  const HUES = ["#4477aa", "#ee6677", "#228833", "#b59b1d", "#3fa9c9", "#aa3377", "#ee7733", "#009988", "#8a8f98", "#6a4cc2"];
  const hue = (c) => HUES[c % HUES.length]; // of a class
  let wire = null;
  let run = 0;
  let told = null; // who hears of the work that is under way

  const end = (status, views = [], text = "") => { const last = told; told = null; if (last) last({status, views, text}); };
  const stop = () => { if (told) { wire.stop(); end("stopped"); } };
  // ``hear({status, views, text})`` is called at every view and at the end; status: running, done, stopped, failed.
  const start = (request, hear) => {
    stop();
    run += 1;
    told = hear;
    hear({status: "running", views: [], text: ""});
    wire.start({run, request});
  };
  const receive = (message) => {
    if (!message || message.run !== run || !told) return;
    const refused = message.views.find((v) => v.view === "Refusal");
    if (refused) end("failed", message.views, refused.text);
    else if (message.done) end("done", message.views);
    else told({status: "running", views: message.views, text: ""});
  };
  const connect = (made) => { wire = made; };
  latent.on("lost", () => end("failed", [], "The server did not take this, or stopped before it was done. Wait a moment, then try again."));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });

  // A bar with what is being done, and a way to stop it: {node, show(progress or null)}.
  const bar = () => {
    const fill = pg.h("i");
    const line = pg.h("div.pg-bar", {}, fill);
    const words = pg.h("span");
    const node = pg.h("div.lt-aside", {hidden: true}, line, pg.h("p", {}, words, pg.h("button.pg-link", {type: "button", "data-halt": true, onclick: stop}, "Cancel")));
    const show = (running, progress) => {
      node.hidden = !running;
      const known = progress && progress.total > 1;
      line.classList.toggle("unknown", !known);
      fill.style.width = known ? `${(100 * progress.done) / progress.total}%` : "";
      words.textContent = progress ? progress.text : "";
    };
    return {node, show};
  };

  // Where views say a code is, and the outlines of the cloud around it: {x, y, rings: [[{x, y}, ...], ...]}, or null.
  const placed = (views) => {
    const paths = (key) => {
      const view = views.find((v) => v.key === key);
      if (!view) return [];
      const [xs, ys] = ["x", "y"].map((axis) => new Float32Array(pg.bytes(view[axis].b64).buffer));
      const [lines, many] = view.x.shape;
      return Array.from({length: lines}, (_, i) => Array.from({length: many}, (_, j) => ({x: xs[i * many + j], y: ys[i * many + j]})));
    };
    const place = paths("place");
    return place.length ? {...place[0][0], rings: paths("cloud")} : null;
  };

  Object.assign(latent, {aside: {start, stop, receive, connect, bar}, placed, hue});
})();
