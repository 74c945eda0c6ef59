// The family in plain words, its numbers beside the published ones, and the file that is running.
const pg = window.playground;
const {h} = pg;
const box = element.querySelector(".pg-about");

const QUESTIONS = [["intuition", "The idea"], ["sampling", "How a sample is drawn"], ["density", "How probable is a new point?"],
  ["latent", "Has it a latent?"], ["training", "How it is trained"], ["pros", "What it is good at"], ["cons", "What it is bad at"]];

const source = async (path) => {
  const answered = await pg.ask("source", {path});
  pg.dialog(path, answered.ok ? h("pre.pg-source", {tabindex: 0}, answered.text) : h("p", {}, answered.error));
};

// Metrics in the order and with the names of the Scores page, what belongs beside one (its floor, a baseline) in its row.
const ordered = (metrics) => {
  const rows = [], told = new Set();
  for (const {title, unit, help, keys, beside} of pg.shelf().columns || []) {
    for (const key of keys.filter((k) => k in metrics)) {
      const near = beside.map(([ending, words]) => [words, key + ending]).filter(([, k]) => k in metrics);
      [key, ...near.map(([, k]) => k)].forEach((k) => told.add(k));
      rows.push({key, help, name: unit ? `${title}, ${unit}` : title, near: near.map(([words, k]) => `${words} ${pg.number(metrics[k].value)}`)});
    }
  }
  return [...rows, ...Object.keys(metrics).filter((k) => !told.has(k)).map((key) => ({key, help: "", name: pg.words(key), near: []}))];
};
const measured = (metrics) => ({key, help, name, near}) => {
  const metric = metrics[key];
  const value = `${pg.number(metric.value)}${metric.stderr === null ? "" : ` ± ${pg.number(Number(metric.stderr.toPrecision(2)))}`}`;
  const how = [...near, metric.kind, metric.split !== "none" ? `${metric.split} data` : "", metric.n > 1 ? `n = ${pg.number(metric.n)}` : ""].filter(Boolean).join(", ");
  return h("tr", {"data-metric": key}, h("td", {title: help}, name), h("td.pg-number", {}, value),
    h("td.pg-how", {}, h("span", {}, how), metric.protocol ? h("details", {}, h("summary", {}, "how"), h("p", {}, metric.protocol)) : null));
};
const published = (entry) => h("tr", {}, h("td", {}, pg.words(entry.metric)), h("td.pg-number", {}, pg.number(entry.value)), h("td.pg-how", {}, entry.source));
const table = (title, rows) => (rows.length ? [h("h3", {}, title), h("div.pg-scroll", {}, h("table.pg-table", {}, h("tbody", {}, rows)))] : []);

const paper = (about) => (about.paper ? h("p.pg-paper", {}, about.paper, about.arxiv ? [" ", h("a", {href: `https://arxiv.org/abs/${about.arxiv}`, target: "_blank",
  rel: "noopener noreferrer"}, `arXiv:${about.arxiv}`)] : null) : null);

const trained = (m) => {
  const {device, seconds, steps, begins} = m.trained || {};
  return [`${pg.number(m.parameters)} numbers`, steps ? `${pg.number(steps)} steps` : "", seconds ? `${pg.seconds(seconds)} of training` : "", device || "", begins ? `from the weights of ${begins}` : ""].filter(Boolean).join(" · ");
};

let before = null;
pg.on("state", () => {
  const m = pg.model();
  if (!m || m.name === before) return;
  before = m.name;
  const about = m.about || {};
  box.replaceChildren(
    h("header", {}, h("h2", {}, about.title || m.family_title), h("p.pg-lead", {}, about.line || m.line)),
    h("dl.pg-answers", {}, QUESTIONS.filter(([key]) => about[key]).map(([key, question]) => h("div", {"data-about": key}, h("dt", {}, question), h("dd", {}, about[key])))),
    paper(about) || "",
    h("div.pg-figures", {},
      h("div", {}, ...table("Measured here, on these weights", ordered(m.metrics || {}).map(measured(m.metrics || {})))),
      h("div", {}, ...table("Published", (m.published || []).map(published)))),
    h("p.pg-fine", {}, `${m.name}: ${trained(m)}`, m.licence ? ` · ${m.licence}` : ""),
    h("p", {}, h("button.pg-link.pg-flush", {type: "button", "data-source": m.source, onclick: () => source(m.source)}, `The code that is running: ${m.source}`)));
});
