// Which section of the page is in sight. A section is shown as a tab if one of its elements is on the page.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const box = element.querySelector("[data-tabs]");
// name, words, and the elements that are only seen with it (their ids without "pg-latent_")
const SECTIONS = [["pad", "Pad", ["pad", "own"]], ["walk", "Walk", ["walk"]], ["perturb", "Perturb", ["perturb"]], ["map", "Map", ["map"]]];
const nodes = (names) => names.map((name) => document.getElementById(`pg-latent_${name}`)).filter(Boolean);
const known = () => SECTIONS.filter(([, , names]) => nodes(names).length);
latent.extend({}, (state) => { if (!known().some(([name]) => name === state.tab)) state.tab = "pad"; });

const tab = (name) => box.querySelector(`[data-tab="${name}"]`);
const step = (by) => {
  const there = [...box.children];
  const next = there[(there.indexOf(tab(latent.state.tab)) + by + there.length) % there.length];
  latent.set({tab: next.dataset.tab});
  next.focus();
};
box.addEventListener("keydown", (event) => {
  const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (by) { event.preventDefault(); step(by); }
});
latent.on("state", () => {
  const there = known();
  if (box.children.length !== there.length) {
    box.replaceChildren(...there.map(([name, words, names]) => h("button.lt-tab", {type: "button", role: "tab", "data-tab": name,
      "aria-controls": nodes(names).map((node) => node.id).join(" "), onclick: () => latent.set({tab: name})}, words)));
  }
  const now = latent.state.tab;
  for (const [name, , names] of there) {
    for (const node of nodes(names)) node.classList.toggle("lt-off", name !== now);
    tab(name).setAttribute("aria-selected", String(name === now));
    tab(name).tabIndex = name === now ? 0 : -1;
  }
});
