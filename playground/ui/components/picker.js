// Data sets as chips, models by family. A model that cannot do the chosen activity is grey, and its line says why.
const pg = window.playground;
const {h} = pg;
const part = (name) => element.querySelector(name);
const nav = part(".pg-picker");

const drawData = () => {
  const used = pg.shelf().datasets.filter((d) => pg.shelf().models.some((m) => m.data === d.name));
  part("[data-datasets]").replaceChildren(...used.map((d) =>
    h("button.pg-chip", {type: "button", "data-dataset": d.name, "aria-pressed": String(d.name === pg.state.data),
      onclick: () => pg.state.data === d.name || pg.set({data: d.name})}, d.title)));
  const now = used.find((d) => d.name === pg.state.data);
  part("[data-dataset-line]").textContent = now ? now.line : "";
};

const cannot = (reason) => `Not possible here: ${reason}.`;

const item = (m, name, line, explained = false) => {
  const reason = pg.whyNot(m.name);
  const grey = reason !== null;
  const why = grey && !explained ? h("span.pg-model-line", {"data-reason": true}, cannot(reason)) : null;
  return h(grey ? "button.pg-model.pg-cannot" : "button.pg-model",
    {type: "button", "data-model": m.name, "data-fits": String(!grey), "aria-pressed": String(m.name === pg.state.model),
      onclick: () => { fold(true); if (m.name !== pg.state.model) pg.set({model: m.name}); }},
    h("span.pg-model-name", {}, name),
    why || (line && !grey ? h("span.pg-model-line", {}, line) : null));
};

// What a model is called among its own family.
const differs = (m) => (m.title.startsWith(`${m.family_title} · `) ? m.title.slice(m.family_title.length + 3) : m.title);

// A family with one model is that model; one with several says its line once, and a reason that all share once.
const family = (title, members) => {
  if (members.length === 1) return h("section", {"data-family": title}, item(members[0], title, members[0].line));
  const reasons = new Set(members.map((m) => pg.whyNot(m.name)));
  const shared = reasons.size === 1 && [...reasons][0] !== null ? cannot([...reasons][0]) : null;
  return h(shared ? "section.pg-cannot" : "section", {"data-family": title}, h("h2.pg-family", {}, title),
    h("p.pg-model-line", shared ? {"data-reason": true} : {}, shared || members[0].line),
    members.map((m) => item(m, differs(m), "", Boolean(shared))));
};

const lost = ([name, reason]) => h("div.pg-model.pg-cannot", {"data-broken": name},
  h("span.pg-model-name", {}, name), h("span.pg-model-line", {"data-reason": true}, reason));

const drawModels = () => {
  const here = pg.shelf().models.filter((m) => m.data === pg.state.data);
  const families = [...new Set(here.map((m) => m.family_title))];
  const broken = Object.entries(pg.shelf().broken || {});
  part("[data-models]").replaceChildren(
    ...families.map((title) => family(title, here.filter((m) => m.family_title === title))),
    ...(broken.length ? [h("section", {}, h("h2.pg-family", {}, "Cannot be opened"), broken.map(lost))] : []));
};

// On a phone the shelf is one line until it is opened.
const fold = (folded) => {
  nav.classList.toggle("open", !folded);
  part(".pg-current").setAttribute("aria-expanded", String(!folded));
};
part(".pg-current").addEventListener("click", () => fold(nav.classList.contains("open")));

const drawCurrent = () => {
  const now = pg.model();
  part(".pg-current").replaceChildren(h("span", {}, h("strong", {}, now.family_title), h("small", {}, now.title === now.family_title ? now.line : differs(now))), pg.icon("down"));
};

// The shelf is a column that scrolls by itself where it is long: the chosen model is to be in sight.
const reveal = () => {
  const shelf = document.getElementById("pg-picker");
  const chosen = part('.pg-model[aria-pressed="true"]');
  if (!shelf || !chosen || shelf.scrollHeight <= shelf.clientHeight) return;
  const [it, room] = [chosen.getBoundingClientRect(), shelf.getBoundingClientRect()];
  if (it.top < room.top || it.bottom > Math.min(room.bottom, window.innerHeight)) shelf.scrollTop += it.top - room.top - room.height / 3;
};

const draw = () => {
  if (!pg.shelf()) return;
  const held = element.contains(document.activeElement) && document.activeElement.dataset;
  drawData();
  drawModels();
  drawCurrent();
  // Redrawing must not take the keyboard's place away.
  if (held && held.model) part(`[data-model="${CSS.escape(held.model)}"]`)?.focus();
  if (held && held.dataset) part(`[data-dataset="${CSS.escape(held.dataset)}"]`)?.focus();
  reveal();
};

let before = "";
pg.on("state", () => {
  const now = `${pg.state.data}/${pg.state.model}/${pg.state.activity}`;
  if (now !== before) draw();
  before = now;
});
