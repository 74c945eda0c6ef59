// What is drawn or sent here is coded by the model while it is drawn. A model without an encoder searches for the code,
// when it is asked to. An answer that comes too late is thrown away.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const LIVE = 120; // milliseconds between two looks at a stroke that is being drawn
let given = null; // {drawing} or {picture}: a data URL
let version = 0; // of what is given, to what

const fits = (activity) => latent.model().fits[activity];
const way = () => ["place", "invert"].find((activity) => fits(activity) === null);
// A picture of one's own is of its own class, unless another was asked for.
const request = (activity) => {
  const labelled = latent.model().knobs[activity].some((spec) => spec.name === "label");
  return latent.request(activity, {...given, ...(labelled ? {label: latent.state.label || "any"} : {})});
};
const bar = latent.aside.bar();
const find = h("button.pg-chip", {type: "button", "data-find": true, onclick: () => search()}, "Find its code");
part("search").append(find, bar.node);

// ---- what is shown
const figures = (node, view, captions) => {
  const pictures = pg.unpack(view.pixels);
  if (node.children.length !== captions.length) node.replaceChildren(...captions.map(() => h("figure", {}, h("canvas"), h("figcaption"))));
  [...node.children].forEach((figure, i) => {
    pg.paint(figure.querySelector("canvas"), pictures.at(i));
    figure.querySelector("figcaption").textContent = captions[i];
  });
};
const show = (view) => {
  part("off").textContent = view ? view.captions[2] : "";
  if (view) figures(part("three"), view, [view.captions[0], view.captions[1], "what is lost"]);
  else part("three").replaceChildren();
};
const also = (views) => {
  const starts = views.find((v) => v.key === "starts");
  const cloud = views.find((v) => v.key === "cloud");
  part("starts").replaceChildren();
  if (starts) figures(part("starts"), starts, starts.captions);
  part("note").textContent = starts ? `${views.find((v) => v.key === "main").caption.split(". ").slice(1).join(". ")} ${starts.caption}` : cloud ? cloud.caption : "";
};
const clear = () => { show(null); also([]); latent.mark(null); };

// ---- a model with an encoder: asked at every change, one question at a time, the latest wins
let busy = false;
let again = false;
const look = async () => {
  if (busy) { again = true; return; }
  busy = true;
  do {
    again = false;
    const model = latent.state.model;
    const answered = await pg.ask("views", {request: request("place")});
    if (!given || model !== latent.state.model) continue; // cleared, or asked of another model, meanwhile
    const refused = answered.ok && answered.views.find((v) => v.view === "Refusal");
    if (!answered.ok || refused) { clear(); part("off").textContent = refused ? refused.text : answered.error; continue; }
    show(answered.views.find((v) => v.key === "main"));
    also(answered.views);
    latent.mark(latent.placed(answered.views));
  } while (again);
  busy = false;
};

// ---- a model without one: the search streams
const search = () => {
  const mine = version;
  also([]);
  latent.aside.start(request("invert"), ({status, views, text}) => {
    bar.show(status === "running", views.find((v) => v.view === "Progress"));
    find.hidden = status === "running";
    if (mine !== version) return;
    const three = views.find((v) => v.key === "main");
    if (three) { show(three); latent.mark(latent.placed(views)); }
    if (status === "done") also(views);
    if (text) part("off").textContent = text;
  });
};

const changed = (next) => {
  given = next;
  version += 1;
  if (way() === "place" && given) look();
  else { latent.aside.stop(); clear(); }
  find.disabled = !given;
};
const drawn = (amounts) => {
  const side = Math.sqrt(amounts.length);
  return pg.paint(h("canvas"), {data: amounts, height: side, width: side, channels: 1}).toDataURL("image/png");
};
const pad = window.lab.pad((amounts, empty) => changed(empty ? null : {drawing: drawn(amounts)}), LIVE);
const chooser = h("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true, "aria-label": "a picture of yours", onchange: async () => {
  const [file] = chooser.files;
  chooser.value = "";
  if (!file) return;
  try { changed({picture: await pg.shrink(file)}); } catch { pg.toast("That file is not a picture this browser can read."); }
}});
part("draw").append(pad.node, h("button.pg-link.pg-flush", {type: "button", "data-send": true, onclick: () => chooser.click()}, "Or send a picture"), chooser);

const LINES = {
  place: "Draw: the diamond on the plane is where the model puts it.",
  invert: "This model has no encoder: draw, then let it search for a code whose picture is like yours.",
};
latent.on("state", () => {
  const doing = way();
  part("desk").hidden = !doing;
  part("search").hidden = doing !== "invert";
  part("why").textContent = doing ? LINES[doing] : `Not this model: ${fits("place") || "this playground cannot do that"}.`;
});
let plane = 0;
latent.on("lattice", () => { // the first of a plane, not the finer ones that follow
  if (plane === latent.result.run) return;
  plane = latent.result.run;
  changed(given);
});
