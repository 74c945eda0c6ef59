// The table. Rows that must not be compared stand in groups of their own, by data set and pixels, and are sorted within them;
// only a column that means the same everywhere, such as seconds, sorts all of them together.
const pg = window.playground;
const scores = window.scores;
const {h} = pg;
const {state} = scores;
const part = (name) => element.querySelector(name);
const PIXELS = {"8-bit": "8-bit grey levels", binary: "black and white pixels", continuous: "continuous pixels"};

// ---- what is shown
const columns = () => {
  const all = scores.facts().columns;
  const chosen = all.filter((c) => (state.columns === "all" ? c.group !== "overview" : state.columns === "overview" ? c.overview : c.group === state.columns));
  const one = new Set(rows().map((r) => r.group)).size === 1;
  return [...all.filter((c) => c.group === "model" && (state.columns === "all" || (c.name === "pixels" && !grouped()))).filter(() => !one || state.columns === "all"), ...chosen.filter((c) => c.group !== "model")];
};
const rows = () => scores.facts().rows.filter((r) => (state.data === "all" || r.data === state.data) && (state.family === "all" || r.family_title === state.family));
const sorting = () => ({name: state.sort.replace(/^-/, ""), down: state.sort.startsWith("-")});
const column = (name) => scores.facts().columns.find((c) => c.name === name);
const grouped = () => {
  const {name} = sorting();
  return name !== "title" && !(column(name) || {}).across;
};
const valueOf = (row, name) => (name === "title" ? row.title : row.cells[name] ? row.cells[name].value : null);
const sorted = (given) => {
  const {name, down} = sorting();
  if (!name) return given;
  const compare = (a, b) => (typeof a === "string" || typeof b === "string" ? String(a).localeCompare(String(b), "en", {numeric: true}) : a - b) * (down ? -1 : 1);
  return [...given].sort((a, b) => {
    const [x, y] = [valueOf(a, name), valueOf(b, name)];
    return x === null ? (y === null ? 0 : 1) : y === null ? -1 : compare(x, y); // what was not measured stands last
  });
};
const groups = () => {
  const given = sorted(rows());
  if (!grouped()) return [["", given]];
  const found = new Map();
  for (const row of scores.facts().rows) if (given.includes(row)) found.set(row.group, []);
  const order = scores.facts().datasets.map((d) => d.name);
  given.forEach((row) => found.get(row.group).push(row));
  return [...found].sort((a, b) => b[1].length - a[1].length || order.indexOf(a[1][0].data) - order.indexOf(b[1][0].data))
    .map(([, members]) => [`${members[0].data_title} · ${PIXELS[members[0].pixels] || members[0].pixels}`, members]);
};

// The best of a column within its group: nobody beats it, and a bound is never the best of exact values.
const bestOf = (c, members) => {
  if (!c.better || !(c.keys.length || c.name === "nll")) return new Set();
  const fair = members.filter((r) => r.cells[c.name] && !(r.cells[c.name].kind === "lower bound" && (c.group === "likelihood" || c.name === "nll")));
  if (fair.length < 2) return new Set();
  const sign = c.better === "lower" ? -1 : 1;
  const best = fair.reduce((a, b) => ((b.cells[c.name].value - a.cells[c.name].value) * sign > 0 ? b : a));
  const within = best.cells[c.name].stderr || 0; // nobody can tell them apart
  const same = fair.filter((r) => Math.abs(r.cells[c.name].value - best.cells[c.name].value) <= within);
  return new Set(same.length <= Math.max(1, fair.length / 3) ? same.map((r) => r.name) : []);
};

// ---- the table
const sortBy = (c) => {
  const first = c.better === "higher" ? `-${c.name}` : c.name;
  const other = first.startsWith("-") ? c.name : `-${c.name}`;
  scores.set({sort: state.sort === first ? other : state.sort === other ? "" : first});
};
const heading = (c) => {
  const {name, down} = sorting();
  const button = h("button.sc-sort", {type: "button", title: c.help + (c.better ? `; ${c.better} is better` : ""), "data-sort": c.name, onclick: () => sortBy(c)},
    h("span", {}, c.title, c.unit && c.form !== "seconds" ? h("small", {}, ` ${c.unit}`) : null, c.better ? h("small.sc-better", {"aria-label": `${c.better} is better`}, c.better === "lower" ? " ↓" : " ↑") : null), h("i", {"aria-hidden": "true"}));
  return h("th", {scope: "col", "aria-sort": name !== c.name ? "none" : down ? "descending" : "ascending", "data-column": c.name}, button);
};
const cellOf = (row, c, best) => {
  const cell = row.cells[c.name];
  const winner = best.has(row.name);
  const shown = cell === null ? [h("span.sc-none", {}, "–")] : [h("span", {}, cell.text), cell.unit ? h("small", {}, cell.unit) : null, ...(cell.beside || []).filter((b) => b.words === "floor" || b.words === "training pictures" || b.words === "raw pixels")
    .map((b) => h("small", {}, `${b.words === "training pictures" ? "train" : b.words} ${b.text.split(" ±")[0]}`))];
  const told = cell === null || (cell && (cell.protocol || cell.lines));
  return h(`td.pg-number${winner ? ".sc-best" : ""}`, {"data-column": c.name}, told ? h("button.sc-cell", {type: "button", tabindex: -1, "aria-label": `${row.title}, ${c.title}: ${cell === null ? "not measured" : cell.text}${winner ? ", the best here" : ""}`, "aria-describedby": "sc-tip", "data-model": row.name, "data-cell": c.name}, shown) : h("span.sc-cell", {}, shown));
};
const draw = () => {
  const shown = columns();
  const label = {name: "title", title: "Model", help: "by name", better: ""};
  const bodies = groups().map(([title, members]) => {
    const best = shown.map((c) => bestOf(c, title || !grouped() ? members.filter((r) => c.across || title) : []));
    return h("tbody", {}, title ? h("tr.sc-group", {}, h("th", {scope: "rowgroup", colspan: shown.length + 1}, h("span", {}, title))) : null,
      members.map((row) => h("tr", {"data-row": row.name}, h("th", {scope: "row"}, h("a", {href: `${pg.root}?model=${encodeURIComponent(row.name)}`, title: row.line}, row.title)), shown.map((c, i) => cellOf(row, c, best[i])))));
  });
  const focus = document.activeElement && element.contains(document.activeElement) ? document.activeElement.dataset : {};
  const table = h("table.pg-table.sc-table", {}, h("thead", {}, h("tr", {}, heading(label), shown.map(heading))), bodies);
  part("[data-table]").replaceChildren(rows().length ? table : h("p.pg-waiting", {}, "No model of that family on this data set."));
  const again = focus.sort ? part(`[data-sort="${focus.sort}"]`) : null;
  if (again) again.focus();
  const first = part("button.sc-cell");
  if (first) first.tabIndex = 0;
  hide();
  more();
};
// A fading edge says that there is more to the right.
const more = () => {
  const box = part("[data-table]");
  box.classList.toggle("sc-more", box.scrollWidth - box.scrollLeft > box.clientWidth + 4);
};
window.addEventListener("resize", more);

// ---- one stop of the Tab key for all cells; the arrows go from cell to cell
part("[data-table]").addEventListener("keydown", (event) => {
  const cell = event.target.closest("button.sc-cell");
  if (!cell || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  const lines = [...element.querySelectorAll("tr[data-row]")].map((line) => [...line.querySelectorAll("button.sc-cell")]);
  const y = lines.findIndex((line) => line.includes(cell));
  const x = lines[y].indexOf(cell);
  const to = event.key === "ArrowLeft" ? lines[y][x - 1] : event.key === "ArrowRight" ? lines[y][x + 1]
    : (lines[y + (event.key === "ArrowDown" ? 1 : -1)] || []).find((c) => c.dataset.cell === cell.dataset.cell);
  if (!to) return;
  cell.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
});

// ---- how a number was measured
const tip = part(".sc-tip");
const hide = () => { tip.hidden = true; };
const show = (button) => {
  const row = scores.row(button.dataset.model);
  const c = column(button.dataset.cell);
  const cell = row.cells[c.name];
  const facts = cell && [cell.n ? `n = ${cell.n.toLocaleString("en")}` : "", cell.kind || "", cell.split && cell.split !== "none" ? `${cell.split} split` : ""].filter(Boolean).join(" · ");
  tip.replaceChildren(h("p.sc-tip-title", {}, `${row.title}: ${c.title}${c.unit ? `, ${c.unit}` : ""}`), ...(cell === null ? [h("p", {}, c.name === "published" ? "No published number is known." : `Not measured: ${c.help}.`)]
    : [h("p.sc-tip-value", {}, cell.text, facts ? h("small", {}, ` ${facts}`) : null), ...(cell.lines || []).map((line) => h("p", {}, line)),
      ...(cell.beside || []).map((b) => h("p", {}, `${b.words}: ${b.text}`)), h("p.sc-protocol", {}, cell.protocol)]));
  tip.hidden = false;
  const at = button.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: high} = tip;
  const below = at.bottom + high + 8 < window.innerHeight || at.top < high + 8;
  tip.style.left = `${Math.max(8, Math.min(window.innerWidth - width - 8, at.left))}px`;
  tip.style.top = `${below ? at.bottom + 4 : at.top - high - 4}px`;
};
const over = (event) => event.target.closest && event.target.closest("button.sc-cell");
for (const [name, act] of [["pointerover", (e) => e.pointerType === "mouse" && over(e) && show(over(e))], ["pointerout", (e) => e.pointerType === "mouse" && hide()],
  ["focusin", (e) => over(e) && show(over(e))], ["focusout", hide], ["click", (e) => over(e) && show(over(e))]]) part("[data-table]").addEventListener(name, act);
window.addEventListener("scroll", hide, {passive: true});
part("[data-table]").addEventListener("scroll", () => { hide(); more(); }, {passive: true});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

// ---- filters, columns, files
const chip = (title, pressed, onclick, props = {}) => h("button.pg-chip", {type: "button", "aria-pressed": String(pressed), onclick, ...props}, title);
const drawBar = () => {
  const {datasets, groups: sets} = scores.facts();
  part("[data-data]").replaceChildren(chip("All data sets", state.data === "all", () => scores.set({data: "all"}), {"data-choose": "all"}),
    ...datasets.map((d) => chip(d.title, state.data === d.name, () => scores.set({data: d.name}), {"data-choose": d.name})));
  const select = part("[data-family]");
  select.replaceChildren(h("option", {value: "all"}, "All families"), ...scores.families().map((f) => h("option", {value: f}, f)));
  select.value = state.family;
  part("[data-groups]").replaceChildren(...Object.entries(sets).map(([name, title]) => chip(title, state.columns === name, () => scores.set({columns: name}), {"data-group": name})));
};
part("[data-family]").addEventListener("change", (event) => scores.set({family: event.target.value}));
const file = async (format) => {
  const answered = await scores.ask("scores_file", {format, columns: (format === "csv" ? scores.facts().columns.filter((c) => c.group !== "overview") : columns()).map((c) => c.name), rows: groups().flatMap(([, members]) => members).map((r) => r.name)});
  if (answered.ok) pg.save(answered.name, `data:application/octet-stream;base64,${answered.b64}`);
  else pg.toast(answered.error);
};
for (const [format, title] of [["csv", "all numbers with errors, sample sizes and protocols"], ["png", "the table as a picture"]]) {
  part("[data-exports]").append(h("button.pg-chip", {type: "button", title, "data-export": format, onclick: () => file(format)}, format.toUpperCase()));
}

const NOTE = "± one standard error. ≤: from a lower bound of the likelihood, so no more than this; never the best of its column. ≈: an estimate. floor, train: what as many training pictures reach. "
  + "–: not measured. Numbers of different data sets or pixels are never compared: they stand in groups of their own.";
scores.on("state", () => {
  drawBar();
  draw();
  part("[data-note]").textContent = NOTE;
});
