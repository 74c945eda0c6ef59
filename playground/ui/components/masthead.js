// The top line. Day or night follows the system until somebody chooses.
const pg = window.playground;
const {h} = pg;

const dark = () => document.body.classList.contains("dark");
const ink = () => document.body.classList.toggle("pg-paper", (pg.remembered("ink") || "auto") === "auto" ? !dark() : pg.remembered("ink") === "yes");

const chosen = pg.remembered("theme");
if (chosen && !new URLSearchParams(location.search).has("__theme")) document.body.classList.toggle("dark", chosen === "dark");
// Gradio changes the class when the system's preference changes; the pictures' polarity follows it.
new MutationObserver(ink).observe(document.body, {attributes: true, attributeFilter: ["class"]});
ink();

const here = element.querySelector("[data-page]").dataset.page;
const KEYS = {
  play: [["Enter, Space", "generate"], ["Esc", "cancel, close"], ["R", "a new seed"], ["← →", "step through a film or the pictures"]],
  lab: [["Enter, Space", "play, pause"], [".", "one step"], ["← →", "back and forth in time; on a panel: the probe"], ["D", "density, difference, samples"], ["Esc", "close"]],
  latent: [["← → ↑ ↓", "on the pad: a step; with Shift five"], ["Esc", "cancel, close"]],
  sketch: [["P, E, H", "pen, eraser, hide"], ["Ctrl Z, Ctrl Shift Z", "take back, bring back"], ["R", "reroll"], ["← → ↑ ↓", "on the paper: move; Space puts the pen down and lifts it"], ["Esc", "cancel, close"]],
  scores: [["← → ↑ ↓", "in the table: from cell to cell"], ["Enter", "on a heading: sort; on a cell: how it was measured"], ["Esc", "cancel, close"]],
};
const keys = () => pg.dialog("Keys", h("table.pg-table.pg-keys", {}, KEYS[here].map(([key, what]) =>
  h("tr", {}, h("td", {}, h("kbd", {}, key)), h("td", {}, what)))));

element.querySelector(".pg-tools").append(
  pg.tool("keys", "Keys", keys, {class: "pg-tool pg-wide-only"}),
  here === "play" ? pg.tool("invert", "Ink on paper, or light on dark", () => {
    pg.remember("ink", document.body.classList.contains("pg-paper") ? "no" : "yes");
    ink();
  }, {"data-invert": true}) : "",
  pg.tool("sun", "Day or night", () => {
    document.body.classList.toggle("dark");
    pg.remember("theme", dark() ? "dark" : "light");
  }, {"data-theme-toggle": true}),
);

for (const link of element.querySelectorAll("[data-to]")) link.setAttribute("href", pg.root + (link.dataset.to === "play" ? "" : link.dataset.to));

pg.on("shelf", () => { element.querySelector("[data-device]").textContent = pg.shelf().device; });
