// The map of a representation: laid out by the server while one looks on; each point is a picture.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const box = part("plot");
const KEYS = ["way", "n", "perplexity"];
const ROOM = 0.06; // around the points, as a share of the map

// ---- the state, as a part of the page's
const spec = (name) => ((latent.model() && latent.model().knobs.embed) || []).find((s) => s.name === name);
const value = (name) => (latent.state[`map_${name}`] === "" ? spec(name).default : spec(name).knob === "Slider" ? Number(latent.state[`map_${name}`]) : latent.state[`map_${name}`]);
latent.extend(Object.fromEntries(KEYS.map((name) => [`map_${name}`, ""])), (state) => {
  for (const name of KEYS) {
    const [text, knob] = [state[`map_${name}`], spec(name)];
    if (text === "" || !knob) continue;
    const good = knob.knob === "Slider" ? /^\d+$/.test(text) && Number(text) >= knob.low && Number(text) <= knob.high : knob.options.includes(text);
    if (!good) state[`map_${name}`] = "";
  }
});

// ---- what has come: {at, points, classes, labels, axes, caption} and pictures
let map = null;
let pictures = null;
let chosen = -1;
let asked = "";
const many = () => map.classes.length;
const at = (i) => [map.points[2 * i], map.points[2 * i + 1]];
const name = (i) => map.labels[map.classes[i]];

const bounds = () => {
  const ends = [0, 1].map((axis) => {
    const all = Array.from({length: many()}, (_, i) => map.points[2 * i + axis]);
    return [Math.min(...all), Math.max(...all)];
  });
  const [wide, high] = [Math.max(200, box.clientWidth - 66), tall() - 56];
  const scale = Math.max((ends[0][1] - ends[0][0]) / wide, (ends[1][1] - ends[1][0]) / high) * (1 + 2 * ROOM) || 1; // of both axes
  return ends.map(([low, high_], axis) => { const half = (scale * (axis ? high : wide)) / 2; return [(low + high_) / 2 - half, (low + high_) / 2 + half]; });
};
const tall = () => (box.clientWidth < 600 ? 400 : Math.max(420, Math.min(620, window.innerHeight - 330)));
const make = () => {
  const written = map.labels.every((label) => label.length === 1);
  const groups = map.labels.map(() => []);
  for (let i = 0; i < many(); i++) groups[map.classes[i]].push(i);
  const traces = groups.map((mine, c) => ({type: "scatter", name: map.labels[c].replace(/[<>]/g, ""), x: mine.map((i) => at(i)[0]), y: mine.map((i) => at(i)[1]), customdata: mine, hoverinfo: "none",
    ...(written ? {mode: "text", text: mine.map(() => map.labels[c]), textfont: {size: 12, color: latent.hue(c)}} : {mode: "markers", marker: {color: latent.hue(c), symbol: pg.plotStyle(c).mark, size: 7, opacity: 0.8}})}));
  if (chosen >= 0) traces.push({type: "scatter", mode: "markers", x: [at(chosen)[0]], y: [at(chosen)[1]], hoverinfo: "skip", showlegend: false, marker: {symbol: "circle-open", size: 20, color: pg.plotInk("accent"), line: {width: 3}}});
  const [across, up] = bounds();
  const axis = (i, range) => ({title: map.axes[i], range, ...(map.axes[i] ? {} : {values: []})});
  return {traces, x: axis(0, across), y: axis(1, up), legend: !written, margin: map.axes[0] ? {} : {l: 8, b: 12, r: 8}, height: tall() + (written ? 0 : 40)};
};
let listening = false;
const draw = async () => {
  if (!map) return;
  try { await pg.plot(box, make); } catch (problem) { say(problem.message); return; }
  if (listening || !box.on) return;
  listening = true;
  box.on("plotly_hover", ({points: [point]}) => { if (point.customdata !== undefined) tip(point.customdata); });
  box.on("plotly_unhover", () => tip(-1));
  box.on("plotly_click", ({points: [point]}) => { if (point.customdata !== undefined) decode(point.customdata); });
};

// ---- a picture beside its point
let pointed = -1;
const tip = (i) => {
  pointed = i;
  const node = part("tip");
  node.hidden = i < 0;
  if (i < 0) return;
  const {_fullLayout: {xaxis, yaxis}} = box;
  const [x, y] = at(i);
  pg.paint(node.querySelector("canvas"), pictures.at(i));
  node.querySelector("span").textContent = name(i);
  node.style.left = `${Math.min(box.clientWidth - 52, Math.max(52, xaxis._offset + xaxis.l2p(x)))}px`;
  const down = yaxis._offset + yaxis.l2p(y);
  node.style.top = `${down < 130 ? down + 140 : down}px`;
};
const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
box.addEventListener("keydown", (event) => {
  if (!map || !box._fullLayout) return;
  if (event.key === "Enter" && pointed >= 0) decode(pointed);
  if (!WAYS[event.key]) return;
  event.preventDefault();
  const [dx, dy] = WAYS[event.key];
  const [x, y] = at(Math.max(0, pointed));
  const far = (i) => {
    const [u, v] = [at(i)[0] - x, at(i)[1] - y];
    const [ahead, aside] = [u * dx + v * dy, Math.abs(u * dy) + Math.abs(v * dx)];
    return ahead > aside / 2 && ahead > 0 ? Math.hypot(ahead, 2 * aside) : Infinity;
  };
  const next = pointed < 0 ? 0 : Array.from({length: many()}, (_, i) => i).reduce((best, i) => (far(i) < far(best) ? i : best), pointed);
  tip(next);
});
box.addEventListener("blur", () => tip(-1));

// ---- a click: what its code keeps
const three = (view, captions) => {
  const shown = pg.unpack(view.pixels);
  part("three").replaceChildren(...captions.map((text, i) => h("figure", {}, pg.paint(h("canvas"), shown.at(i)), h("figcaption", {}, text))));
};
const forget = () => { chosen = -1; tip(-1); part("three").replaceChildren(); part("off").textContent = ""; part("there").hidden = true; part("hint").hidden = false; };
const decode = async (i) => {
  chosen = i;
  draw();
  const sent = pg.paint(h("canvas"), pictures.at(i)).toDataURL("image/png");
  const answered = await pg.ask("views", {request: latent.request("place", {picture: sent})});
  if (chosen !== i) return;
  const view = answered.ok && answered.views.find((v) => v.key === "main" && v.view === "Images");
  const refused = answered.ok && answered.views.find((v) => v.view === "Refusal");
  part("hint").hidden = true;
  part("off").textContent = view ? view.captions[2] : refused ? refused.text : answered.error;
  if (!view) return;
  three(view, [`test picture, ${name(i)}`, view.captions[1], "what is lost"]);
  const place = latent.placed(answered.views);
  const there = part("there");
  there.hidden = !place;
  there.textContent = latent.model().latent === 2 ? "Go there on the pad" : "Its nearest place on the pad";
  there.onclick = () => latent.set({tab: "pad", x: place.x.toFixed(3), y: place.y.toFixed(3)});
};

// ---- asking
const running = latent.aside.bar();
part("bar-running").append(running.node);
const say = (text) => { part("text").hidden = !text; part("text").textContent = text; };
const told = ({status, views, text}) => {
  const find = (key) => views.find((v) => v.key === key);
  running.show(status === "running", views.find((v) => v.view === "Progress"));
  const [sheet, scatter, table] = [find("pictures"), find("main"), find("neighbours")];
  if (sheet && (!pictures || pictures.packed !== sheet.pixels.b64)) pictures = {...pg.unpack(sheet.pixels), packed: sheet.pixels.b64};
  if (scatter && scatter.view === "Scatter" && (!map || map.at !== scatter.at || map.run !== asked)) {
    map = {...scatter, run: asked, points: new Float32Array(pg.bytes(scatter.points.b64).buffer), classes: pg.bytes(scatter.classes.b64)};
    part("note").textContent = map.caption;
    element.querySelector(".lm-chart").classList.remove("stale");
    draw();
  }
  if (table) {
    part("table").replaceChildren(h("table.pg-table", {}, h("thead", {}, h("tr", {}, table.columns.map((c) => h("th", {}, c)))), h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))),
      h("p.pg-fine", {}, table.caption));
  }
  say(text || (status === "stopped" && (!map || map.run !== asked) ? "Stopped. Choose again, or another model." : ""));
  box.dataset.status = status;
};
const ask = () => {
  const reason = latent.model().fits.embed;
  const request = latent.request("embed", reason === null ? Object.fromEntries(KEYS.map((key) => [key, value(key)])) : {});
  if (asked === JSON.stringify(request)) return;
  if (asked) forget();
  asked = JSON.stringify(request);
  element.querySelector(".lm-chart").classList.toggle("stale", Boolean(map));
  part("table").replaceChildren();
  if (reason !== null) { latent.aside.stop(); map = null; box.replaceChildren(); part("note").textContent = ""; say(`Not this model: ${reason}.`); return; }
  latent.aside.start(request, told);
};

// ---- the bar
const ways = h("div.pg-chips", {role: "group", "aria-label": "how codes are laid out"});
const slider = (key, words) => {
  const shown = h("output");
  const range = h("input.pg-range", {type: "range", "aria-label": words, [`data-${key}`]: true, oninput: () => paint(range.value), onchange: () => latent.set({[`map_${key}`]: range.value})});
  const paint = (now) => { shown.textContent = now; range.style.setProperty("--filled", `${(100 * (now - range.min)) / (range.max - range.min)}%`); };
  const field = h("label.lt-field", {}, words, range, shown);
  const set = () => { const {low, high, step} = spec(key); Object.assign(range, {min: low, max: high, step, value: value(key)}); paint(value(key)); };
  return {field, set};
};
const [count, width] = [slider("n", "Pictures"), slider("perplexity", "Perplexity")];
const again = h("button.pg-link", {type: "button", "data-again": true, onclick: () => latent.set({seed: String(Math.floor(Math.random() * 100000))})}, "Other pictures");
part("bar").append(ways, count.field, width.field, again);

latent.on("state", () => {
  if (latent.state.tab !== "map") { if (asked && box.dataset.status === "running") { latent.aside.stop(); asked = ""; } return; }
  const can = latent.model().fits.embed === null;
  part("bar").hidden = part("hint").hidden = !can;
  if (can) {
    ways.replaceChildren(...spec("way").options.map((one) => h("button.pg-chip", {type: "button", "data-way": one, "aria-pressed": String(one === value("way")), onclick: () => latent.set({map_way: one})}, one)));
    count.set();
    width.set();
    width.field.hidden = value("way") !== "t-SNE";
  }
  ask();
  requestAnimationFrame(draw); // its width is only known where it is seen
});
new ResizeObserver(() => { if (map && latent.state.tab === "map" && box.clientWidth) draw(); }).observe(part("bar"));
