// The choices above the pad; each is a change of the page's state.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const box = element.querySelector("[data-choices]");

const model = h("select.pg-select", {"aria-label": "model", "data-model": true, onchange: () => latent.set({model: model.value})});
const through = h("div.pg-chips", {role: "group", "aria-label": "how the plane lies"});
const label = h("select.pg-select", {"aria-label": "class asked for", "data-label": true, onchange: () => latent.set({label: label.value})});
const asked = h("label.lt-field", {}, "Class", label);
const dice = pg.tool("dice", "Three other pictures", () => latent.set({seed: String(Math.floor(Math.random() * 100000))}), {"data-dice": true});
const share = pg.tool("link", "Copy the link to this place", async () => {
  try { await navigator.clipboard.writeText(latent.link()); pg.toast("The link is copied."); } catch { pg.toast("This browser does not let pages copy; the address bar holds the link."); }
});
const field = h("div.lt-field", {}, "Plane through", through, dice);

latent.on("state", () => {
  const chosen = latent.model();
  if (box.firstChild !== model.parentNode) box.replaceChildren(h("label.lt-field", {}, "Model", model), field, asked, share);
  const sets = latent.shelf().datasets.filter((d) => latent.models().some((m) => m.data === d.name));
  model.replaceChildren(...sets.map((d) => h("optgroup", {label: d.title}, latent.models().filter((m) => m.data === d.name).map((m) => h("option", {value: m.name}, m.title)))));
  model.value = chosen.name;
  const whole = chosen.latent === 2;
  const coded = chosen.fits.reconstruct === null;
  const options = ((latent.spec("through") || {}).options || []).filter((way) => coded || way === "three pictures");
  through.replaceChildren(...options.map((way) => h("button.pg-chip", {type: "button", "data-through": way, "aria-pressed": String(!coded || way === latent.value("through")), onclick: () => latent.set({through: way})}, way)));
  field.hidden = whole || latent.state.tab !== "pad";
  dice.hidden = coded && latent.value("through") !== "three pictures";
  const classes = (latent.spec("label") || {}).options || [];
  asked.hidden = !classes.length;
  label.replaceChildren(...classes.map((name) => h("option", {value: name}, name)));
  label.value = latent.value("label") || "";
});
