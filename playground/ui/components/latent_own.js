// What is drawn or sent here is coded by the model at every stroke; an answer that comes too late is thrown away.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const PAUSE = 60; // milliseconds after a stroke
let given = null; // {drawing} or {picture}: a data URL
let asked = 0;
let waiting = 0;

const show = (view) => {
  const three = part("three");
  part("off").textContent = view ? view.captions[2] : "";
  if (!view) { three.replaceChildren(); return; }
  const pictures = pg.unpack(view.pixels);
  if (three.children.length !== 3) three.replaceChildren(...view.captions.slice(0, 2).concat("what is lost").map((text) => h("figure", {}, h("canvas"), h("figcaption", {}, text))));
  [...three.querySelectorAll("canvas")].forEach((canvas, i) => pg.paint(canvas, pictures.at(i)));
};
// Where a view says the code is, and the outlines of the cloud around it: {x, y, rings: [[{x, y}, ...], ...]}.
const placed = (views) => {
  const paths = (key) => {
    const view = views.find((v) => v.key === key);
    if (!view) return [];
    const [xs, ys] = ["x", "y"].map((axis) => new Float32Array(pg.bytes(view[axis].b64).buffer));
    const [lines, many] = view.x.shape;
    return Array.from({length: lines}, (_, i) => Array.from({length: many}, (_, j) => ({x: xs[i * many + j], y: ys[i * many + j]})));
  };
  const [[at]] = paths("place");
  return {...at, rings: paths("cloud")};
};
const ask = async () => {
  const mine = ++asked;
  if (!given) { show(null); latent.mark(null); return; }
  const answered = await pg.ask("views", {request: latent.request("place", given)});
  if (mine !== asked) return;
  const find = (kind) => answered.ok && answered.views.find((v) => v.view === kind);
  const refused = find("Refusal");
  if (!answered.ok || refused) {
    show(null);
    latent.mark(null);
    part("off").textContent = refused ? refused.text : answered.error;
    return;
  }
  show(find("Images"));
  latent.mark(placed(answered.views));
};
const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE); };

const drawn = (amounts) => {
  const side = Math.sqrt(amounts.length);
  return pg.paint(h("canvas"), {data: amounts, height: side, width: side, channels: 1}).toDataURL("image/png");
};
const pad = window.lab.pad((amounts, empty) => { given = empty ? null : {drawing: drawn(amounts)}; soon(); });
const chooser = h("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true, "aria-label": "a picture of yours", onchange: async () => {
  const [file] = chooser.files;
  chooser.value = "";
  if (!file) return;
  try { given = {picture: await pg.shrink(file)}; soon(); } catch { pg.toast("That file is not a picture this browser can read."); }
}});
part("draw").append(pad.node, h("button.pg-link.pg-flush", {type: "button", "data-send": true, onclick: () => chooser.click()}, "Or send a picture"), chooser);

latent.on("state", () => {
  const reason = latent.model().fits.place;
  part("desk").hidden = reason !== null;
  part("why").textContent = reason === null ? "Draw: the diamond on the plane is where the model puts it." : `Not this model: ${reason}.`;
});
latent.on("lattice", () => { if (latent.model().fits.place === null) soon(); });
