// Three strips between two pictures, for one model or two; a finger on a strip moves along all of them.
const pg = window.playground;
const {latent, walks} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const SAYS = {linear: "straight", spherical: "around the centre", geodesic: "least change"};
const SECONDS = 3; // of a walk that plays
const job = walks.jobs.walk;

// ---- who walks, and between what
const ends = [walks.picker("first", "From"), walks.picker("second", "To")];
const beside = h("select.pg-select", {"aria-label": "a second model beside it", "data-beside": true, onchange: () => latent.set({beside: beside.value})});
const swap = h("button.pg-link", {type: "button", "data-swap": true, onclick: () => {
  const {state} = latent;
  latent.set({first: walks.whose("second"), second: walks.whose("first"), first_picture: state.second_picture, second_picture: state.first_picture});
}}, "Swap");
part("ends").append(ends[0].node, ends[1].node, swap, h("label.lt-field", {}, "Beside", beside));
part("progress").append(...walks.progress("walk", "walking"));

// ---- the strips
const place = () => (latent.state.at === "" ? 0.5 : Number(latent.state.at));
let rows = []; // {canvas, now, line, pixels, row, columns}
const show = () => {
  for (const {canvas, now, line, pixels, row, columns, strip} of rows) {
    pg.paint(now, walks.mixed(pixels, row, columns, place()));
    line.style.left = `${walks.across(canvas, place())}%`;
    strip.setAttribute("aria-valuenow", Math.round(100 * place()));
  }
};
let mirroring = 0;
const move = (t) => {
  latent.state.at = Math.min(1, Math.max(0, t)).toFixed(3);
  requestAnimationFrame(show);
  clearTimeout(mirroring);
  mirroring = setTimeout(() => history.replaceState(null, "", latent.link()), 200);
};
const strip = (canvas, line, name) => {
  const node = h("div.lw-strip", {tabindex: 0, role: "slider", "aria-label": `along the ${name} walk`, "aria-valuemin": 0, "aria-valuemax": 100, "data-strip": name}, canvas, line);
  let held = false;
  node.addEventListener("pointerdown", (event) => { if (event.button) return; playing.stop(); held = true; node.setPointerCapture(event.pointerId); move(walks.share(canvas, event)); });
  node.addEventListener("pointermove", (event) => { if (held) move(walks.share(canvas, event)); });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => { held = false; });
  node.addEventListener("keydown", (event) => {
    const by = {ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, Home: -100, End: 100}[event.key];
    if (by) { event.preventDefault(); playing.stop(); move(place() + by * (event.shiftKey ? 0.1 : 0.02)); }
  });
  return node;
};
const figures = (table, way) => {
  const row = table && table.rows.find(([name]) => name === way);
  return row ? `${row[1].toFixed(3)} long, ${row[2].toFixed(2)} × the cross-fade` : "";
};
const block = (view, table) => {
  const pixels = pg.unpack(view.pixels);
  const {columns} = view;
  const least = table && Math.min(...table.rows.map((r) => r[1]));
  const made = view.group.map((way, row) => {
    const canvas = h("canvas");
    const [now, line] = [h("canvas"), h("i")];
    const told = figures(table, way);
    const best = table && table.rows.find(([name]) => name === way)[1] === least;
    const one = strip(canvas, line, way);
    rows.push({canvas, now, line, pixels, row, columns, strip: one, way, title: view.title, label: `${way}, ${SAYS[way]}\n${told}`});
    return h("div.lw-row", {"data-way": way}, h("div.lw-label", {}, h("b", {}, way), h("span", {}, SAYS[way]), h(best ? "span.lw-best" : "span", {}, told)), one, h("figure.lw-now", {}, now));
  });
  return h("div.lw-block", {"data-block": view.key}, h("h3", {}, view.title), ...made, h("p.pg-fine", {}, view.caption));
};
const paint = () => {
  for (const row of rows) walks.paintRow(row.canvas, row.pixels, row.row, row.columns, row.strip.clientWidth);
  show();
};
// Curves first, then figures; each is drawn when it has changed.
const drawCharts = (views) => {
  const charts = ["Curve", "Table"].flatMap((kind) => Object.values(views).filter((v) => v.view === kind));
  const keys = new Set(charts.map((v) => v.key));
  [...part("charts").children].forEach((node) => keys.has(node.dataset.view) || node.remove());
  charts.forEach((view) => pg.drawView(part("charts"), view));
};
let drawn = "";
const draw = () => {
  const {views, status} = job;
  const shown = ["", " beside"].map((key) => [views[`strips${key}`], views[`lengths${key}`]]).filter(([strips]) => strips);
  const version = shown.map(([s, t]) => `${s.run} ${s.at} ${t ? t.at : ""}`).join();
  element.querySelector(".lw-walk").classList.toggle("stale", Boolean(job.stale) && status !== "idle");
  if (views.ends) {
    const seen = pg.unpack(views.ends.pixels);
    ends.forEach((end, i) => { end.show(seen.at(i)); });
    if (!job.stale) ["first", "second"].forEach((key, i) => walks.shrunk(key, seen.at(i)));
  }
  if (!shown.length) return;
  drawCharts(views);
  if (version === drawn) return;
  drawn = version;
  rows = [];
  part("blocks").replaceChildren(...shown.map(([strips, table]) => block(strips, table)));
  paint();
  part("tools").hidden = false;
};
walks.on("walk", draw);
new ResizeObserver(() => { if (element.clientWidth) requestAnimationFrame(paint); }).observe(part("blocks"));

// ---- playing, saving
const playing = {
  timer: 0,
  start: () => {
    playing.stop();
    const begun = performance.now();
    const tick = (time) => {
      const t = ((time - begun) / 1000 / SECONDS) % 2;
      move(t > 1 ? 2 - t : t);
      playing.timer = requestAnimationFrame(tick);
    };
    playing.timer = requestAnimationFrame(tick);
    play.replaceChildren(pg.icon("pause"));
  },
  stop: () => { cancelAnimationFrame(playing.timer); playing.timer = 0; play.replaceChildren(pg.icon("play")); },
};
const play = pg.tool("play", "Walk there and back", () => (playing.timer ? playing.stop() : playing.start()), {"data-play": true});
const png = h("button.pg-link", {type: "button", "data-png": true, onclick: () => pg.save(`${latent.state.model}-walk.png`, walks.sheet(rows.map((row) => ({canvas: row.canvas, label: row.label}))))}, "Save as PNG");
const gif = h("button.pg-link", {type: "button", "data-gif": true, onclick: () => walks.film((t) => rows.map((row) => walks.mixed(row.pixels, row.row, row.columns, t)), 49)}, "Save as GIF");
part("tools").append(play, png, gif);
part("tools").hidden = true;

latent.on("state", () => {
  if (latent.state.tab !== "walk") { playing.stop(); return; }
  beside.replaceChildren(h("option", {value: ""}, "no other model"), ...walks.besides().map((m) => h("option", {value: m.name}, m.title)));
  beside.value = latent.state.beside;
  beside.parentNode.hidden = !walks.besides().length;
  walks.ask("walk", latent.request("walk", {...walks.knobs(["first", "second"]), others: latent.state.beside ? [latent.state.beside] : []}));
});
