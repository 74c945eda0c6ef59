// Film: the pictures at one moment, a slider over the moments, and a strip of a few of them.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  const STRIP = 10; // moments in the strip
  const SPEEDS = [0.25, 0.5, 1, 2, 4];
  const SECONDS = 4; // of the whole film at speed 1

  // While it streams a film follows its last frame; once whole it plays from the beginning.
  const draw = (node, view) => {
    const pixels = pg.unpack(view.pixels);
    const film = node.film || (node.film = build(node));
    const [frames, n] = pixels.leading;
    const ended = film.frame >= film.frames - 1;
    Object.assign(film, {pixels, frames, n, steps: view.steps || []});
    film.slider.max = frames - 1;
    strip(film, node);
    show(film, ended ? frames - 1 : film.frame);
  };

  const build = (node) => {
    const film = {frame: 0, frames: 1, speed: 1, playing: null};
    film.sheet = h("div.pg-view-body");
    film.slider = h("input.pg-range", {type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "frame",
      oninput: () => { stop(film); show(film, Number(film.slider.value)); }});
    film.button = pg.tool("play", "Play", () => (film.playing ? stop(film) : play(film)), {"data-play": true});
    film.label = h("output.pg-step");
    film.pace = h("button.pg-chip", {type: "button", title: "speed", "aria-label": "speed", onclick: () => {
      film.speed = SPEEDS[(SPEEDS.indexOf(film.speed) + 1) % SPEEDS.length];
      film.pace.textContent = `${film.speed}×`;
    }}, "1×");
    film.strip = h("div.pg-strip", {"aria-hidden": true});
    node.replaceChildren(film.sheet, h("div.pg-transport", {}, film.button, film.slider, film.label, film.pace), film.strip);
    node.closest(".pg-view").film = {step: (by) => { stop(film); show(film, film.frame + by); }};
    return film;
  };

  const show = (film, frame) => {
    film.frame = Math.max(0, Math.min(film.frames - 1, frame));
    film.slider.value = film.frame;
    film.label.textContent = film.steps[film.frame] || `${film.frame + 1} of ${film.frames}`;
    pg.drawSheet(film.sheet, {n: film.n, width: film.pixels.width, high: 470, at: (i) => film.pixels.at(film.frame, i)});
    film.strip.querySelectorAll("button").forEach((cell) => {
      cell.classList.toggle("on", Math.abs(Number(cell.dataset.frame) - film.frame) <= film.frames / STRIP / 2);
    });
  };

  const strip = (film, node) => {
    const rows = Math.min(3, film.n);
    const cells = Math.min(film.frames, node.clientWidth < 480 ? 6 : STRIP);
    film.strip.style.gridTemplateColumns = `repeat(${cells}, 1fr)`;
    film.strip.replaceChildren(...Array.from({length: cells}, (_, i) => {
      const frame = cells === 1 ? 0 : Math.round((i * (film.frames - 1)) / (cells - 1));
      const pictures = Array.from({length: rows}, (_, row) => pg.paint(h("canvas"), film.pixels.at(frame, row)));
      return h("button", {type: "button", tabindex: -1, "data-frame": frame, onclick: () => { stop(film); show(film, frame); }}, pictures);
    }));
  };

  const play = (film) => {
    if (film.frame >= film.frames - 1) show(film, 0);
    let last = performance.now();
    let position = film.frame;
    const tick = (now) => {
      position += ((now - last) / 1000) * film.speed * (film.frames / SECONDS);
      last = now;
      if (Math.floor(position) !== film.frame) show(film, Math.floor(position));
      if (film.frame >= film.frames - 1 || !film.sheet.isConnected) stop(film);
      else film.playing = requestAnimationFrame(tick);
    };
    film.playing = requestAnimationFrame(tick);
    film.button.replaceChildren(pg.icon("pause"));
    film.button.setAttribute("aria-label", "Pause");
  };

  const stop = (film) => {
    cancelAnimationFrame(film.playing);
    film.playing = null;
    film.button.replaceChildren(pg.icon("play"));
    film.button.setAttribute("aria-label", "Play");
  };

  Object.assign(pg, {drawFilm: draw});
})();
