// Draws the result as it streams in. Before the first run: the sheet drawn when the model was trained, and what to do.
const pg = window.playground;
const {h} = pg;
const part = (name) => element.querySelector(name);
const stage = part(".pg-stage");
const sheets = {}; // model name -> data URL, fetched once

// ---- before anything has run
const invitation = () => {
  const doing = (pg.activity().title || pg.words(pg.state.activity));
  return h("p.pg-invite", {}, "Press ", h("strong", {}, doing), ", or ", h("kbd", {}, "Enter"), ".");
};
const refusal = (reason) => {
  const can = pg.activities().find((a) => pg.whyNot(pg.state.model, a.name) === null);
  const instead = can ? h("button.pg-link", {type: "button", onclick: () => pg.set({activity: can.name})}, `${can.title || pg.words(can.name)} with it instead`) : null;
  return h("div.pg-refusal", {role: "alert", "data-refusal": true}, h("span.pg-refusal-mark", {}, "–"),
    h("p", {}, `Not possible with ${pg.model().title || pg.state.model}: ${reason}. `, instead));
};
const drawEmpty = async () => {
  const box = part(".pg-empty");
  const name = pg.state.model;
  const reason = pg.whyNot();
  if (reason !== null) { box.replaceChildren(refusal(reason)); return; }
  if (!(name in sheets)) {
    box.replaceChildren(invitation());
    const answered = await pg.ask("sheet", {model: name});
    sheets[name] = answered.ok && answered.png ? `data:image/png;base64,${answered.png}` : "";
  }
  if (name !== pg.state.model || pg.whyNot() !== null) return; // somebody moved on meanwhile
  const {shape} = pg.shelf().datasets.find((d) => d.name === pg.state.data) || {shape: [3]};
  const grey = shape[0] === 1 || shape.length === 2; // one ink: grey pictures, or drawings
  const picture = sheets[name] ? [h(grey ? "img.pg-sample-sheet.pg-grey" : "img.pg-sample-sheet", {src: sheets[name], alt: "samples drawn when it was trained", "data-sheet": name}),
    h("p.pg-fine", {}, "drawn when it was trained")] : [];
  box.replaceChildren(invitation(), ...picture);
};

// ---- how far it has come
let timer = null;
const left = (view) => {
  const spent = (performance.now() - pg.result.begun) / 1000;
  const rest = view && view.done > 0 ? (spent / view.done) * (view.total - view.done) : null;
  return rest !== null && spent > 0.7 && rest > 0.3 ? `, about ${pg.seconds(rest)} left` : "";
};
const drawProgress = () => {
  const {status, begun, views, heard} = pg.result;
  const box = part(".pg-progress");
  const view = views.find((v) => v.view === "Progress");
  const spent = performance.now() - begun;
  const visible = status === "running" && (spent > 300 || Boolean(view));
  box.hidden = !visible;
  part("[data-cancel]").hidden = !(status === "running" && spent > 300);
  clearTimeout(timer);
  if (status !== "running") return;
  timer = setTimeout(drawProgress, 200);
  part(".pg-bar").classList.toggle("unknown", !view);
  part(".pg-bar i").style.width = view ? `${(100 * view.done) / Math.max(1, view.total)}%` : "";
  const text = view ? `${view.text || `${view.done} of ${view.total}`}${left(view)}` : heard || spent < 1500 ? "Working…" : pg.shelf().remembered ? "Starting up…" : "Waiting for a free place…";
  part(".pg-progress span").textContent = text;
};
part("[data-cancel]").addEventListener("click", () => pg.cancel());

// ---- what is shown
const drawViews = (force) => {
  const box = part("[data-views]");
  const views = pg.result.views.filter((v) => v.view !== "Progress");
  const keys = new Set(views.map((v) => v.key));
  [...box.children].forEach((frame) => keys.has(frame.dataset.view) || frame.remove());
  views.forEach((view) => pg.drawView(box, view, force));
  box.classList.toggle("stale", Boolean(pg.result.stale) && pg.result.status === "running");
  stage.dataset.status = pg.result.status;
  stage.dataset.run = pg.result.run;
};

// ---- what it cost, and taking it away
const FORMATS = {png: "PNG", gif: "GIF", npz: "NPZ"};
const drawResult = () => {
  const {status, views, seconds} = pg.result;
  const pictures = views.filter((v) => v.view === "Images" || v.view === "Film" || v.pictures);
  const numbers = views.filter((v) => v.view === "Table" || v.view === "Curve");
  part(".pg-result").hidden = !(status === "done" && views.some((v) => v.view !== "Refusal"));
  const inner = views.reduce((sum, v) => Math.max(sum, v.seconds || 0), 0);
  part("[data-cost]").textContent = `${pg.seconds(inner || seconds || 0)} on ${pg.shelf() ? pg.shelf().device : "the server"}`;
  const moves = views.some((v) => v.view === "Film");
  const reasons = {png: pictures.length ? "" : "there is no picture", gif: moves ? "" : "nothing moves here: Watch does",
    npz: pictures.length || numbers.length ? "" : "there are no pictures"};
  part(".pg-downloads").replaceChildren(h("span.pg-cost", {}, "Save as"), ...Object.entries(FORMATS).map(([format, title]) =>
    h("button.pg-link", {type: "button", "data-download": format, "aria-disabled": String(Boolean(reasons[format])),
      title: reasons[format] || `Download as ${title}`, onclick: () => (reasons[format] ? pg.toast(`No ${title}: ${reasons[format]}.`) : download(format))}, title)));
};
const download = async (format) => {
  pg.toast("Preparing the file…");
  const answered = await pg.ask("export", {request: pg.result.request, format});
  if (!answered.ok) { pg.toast(answered.error); return; }
  pg.save(answered.name, `data:application/octet-stream;base64,${answered.b64}`);
  pg.toast(`Saved ${answered.name}`);
};

const draw = (force) => {
  const nothing = !pg.result.views.some((v) => v.view !== "Progress");
  part(".pg-empty").hidden = !nothing;
  if (nothing && pg.shelf() && pg.state.model) drawEmpty();
  drawProgress();
  drawViews(force);
  drawResult();
};
pg.on("result", () => draw(false));
let width = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== width) draw(true); width = window.innerWidth; });
