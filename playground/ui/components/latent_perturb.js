// Rows of pictures, each with one number of the code, or one direction, from one end to the other; a finger on a row
// moves along it, blended here.
const pg = window.playground;
const {latent, walks} = window;
const {h} = pg;
const part = (name, value) => element.querySelector(value ? `[data-${name}="${value}"]` : `[data-${name}]`);
const signed = (v, digits = 2) => v.toFixed(digits).replace("-", "−");

const base = walks.picker("base", "The code of");
part("base").append(base.node);
for (const [name, what] of [["rows", "weighing the numbers"], ["directions", "measuring pictures"], ["sum", "adding"]]) part("progress", name).append(...walks.progress(name, what));

// ---- rows of strips, for numbers and for directions alike
// ``labels(table)`` gives [{words, under, dull, at, reach, unit}] in the order of the strips.
const desk = (name, labels) => {
  const job = walks.jobs[name];
  const box = part("strips", name);
  const large = h("canvas");
  const said = h("figcaption");
  part("large", name).append(large, said);
  let rows = [];
  let chosen = 0;
  const show = () => {
    rows.forEach((row, i) => {
      row.line.style.left = `${walks.across(row.canvas, row.t)}%`;
      row.node.classList.toggle("on", i === chosen);
      row.strip.setAttribute("aria-valuenow", Math.round(100 * row.t));
      row.strip.setAttribute("aria-valuetext", row.told());
    });
    const row = rows[chosen];
    if (!row) return;
    pg.paint(large, walks.mixed(row.pixels, chosen, row.columns, row.t));
    said.textContent = `${row.words}: ${row.told()}`;
  };
  const choose = (i, t) => { chosen = i; rows[i].t = Math.min(1, Math.max(0, t)); requestAnimationFrame(show); };
  const build = (view, table) => {
    const pixels = pg.unpack(view.pixels);
    const before = Object.fromEntries(rows.map((row) => [row.words, row.t]));
    rows = labels(table, view).map((label, i) => {
      const [canvas, line] = [h("canvas"), h("i")];
      const strip = h("div.lw-strip", {tabindex: 0, role: "slider", "aria-label": label.words, "aria-valuemin": 0, "aria-valuemax": 100, "data-row": label.words}, canvas, line);
      const node = h(label.dull ? "div.lw-row.lw-dull" : "div.lw-row", {"data-used": String(!label.dull)}, h("div.lw-label", {}, h("b", {}, label.words), h("span", {}, label.under), label.dull ? h("span.lw-unused", {}, "unused") : null), strip);
      const row = {...label, canvas, line, strip, node, pixels, columns: view.columns, t: before[label.words] ?? label.at};
      row.told = () => label.say(2 * (row.t - 0.5) * label.reach);
      let held = false;
      strip.addEventListener("pointerdown", (event) => { if (event.button) return; held = true; strip.setPointerCapture(event.pointerId); choose(i, walks.share(canvas, event)); });
      strip.addEventListener("pointermove", (event) => { if (held) choose(i, walks.share(canvas, event)); });
      for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => { held = false; });
      strip.addEventListener("focus", () => choose(i, row.t));
      strip.addEventListener("keydown", (event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1, Home: -100, End: 100}[event.key];
        const to = {ArrowUp: -1, ArrowDown: 1}[event.key];
        if (by || to) event.preventDefault();
        if (by) choose(i, row.t + by * (event.shiftKey ? 0.1 : 0.02));
        if (to && rows[i + to]) rows[i + to].strip.focus();
      });
      return row;
    });
    chosen = Math.min(chosen, rows.length - 1);
    box.replaceChildren(...rows.map((row) => row.node));
    paint();
  };
  const paint = () => {
    rows.forEach((row, i) => walks.paintRow(row.canvas, row.pixels, i, row.columns, row.strip.clientWidth));
    show();
  };
  let drawn = "";
  walks.on(name, () => {
    const {strips, numbers} = job.views;
    part("part", name).classList.toggle("stale", Boolean(job.stale) && job.status !== "idle");
    const version = strips && numbers ? `${strips.run} ${strips.at} ${numbers.at}` : drawn;
    if (version === drawn) return;
    if (!drawn.startsWith(`${job.run} `) && job.anew !== job.run) { rows = []; chosen = 0; job.anew = job.run; }
    drawn = version;
    part("said", name).textContent = `${numbers.caption} ${name === "directions" ? strips.caption : ""}`;
    build(strips, numbers);
    tools.hidden = false;
  });
  new ResizeObserver(() => { if (box.clientWidth) requestAnimationFrame(paint); }).observe(box);
  const tools = part("tools", name);
  const png = h("button.pg-link", {type: "button", "data-png": name, onclick: () => pg.save(`${latent.state.model}-${name}.png`, walks.sheet(rows.map((row) => ({canvas: row.canvas, label: `${row.words}\n${row.under}`}))))}, "Save as PNG");
  const gif = h("button.pg-link", {type: "button", "data-gif": name, onclick: () => walks.film((t) => rows.slice(0, 8).map((row, i) => walks.mixed(row.pixels, i, row.columns, t)), 49)}, "Save as GIF");
  tools.append(png, gif);
  tools.hidden = true;
};

// ---- one number at a time
const REACH = 3; // standard deviations
desk("rows", (table, view) => view.group.map((words, i) => {
  const [, worth, used, , here] = table.rows.find((row) => row[3] === i);
  const nats = table.columns[1].startsWith("KL");
  return {words, under: nats ? `${worth.toFixed(worth < 0.1 ? 4 : 2)} nats` : `changes ${worth.toFixed(3)}`, dull: used === "unused",
    at: Math.min(1, Math.max(0, (here / REACH + 1) / 2)), reach: REACH, say: (v) => `${signed(v)} standard deviations`};
}));
const LEAST = 1e-4;
const bars = (table) => {
  const values = table.rows.map((row) => row[1]);
  const most = Math.max(...values, 0.02);
  const high = (v) => (100 * Math.log(Math.max(v, LEAST) / LEAST)) / Math.log(most / LEAST);
  const nats = table.columns[1].startsWith("KL");
  const line = nats ? [h("i.lw-limit", {style: `bottom:${high(0.01)}%`}), h("span.lw-limit-say", {style: `bottom:${high(0.01)}%`}, "0.01 nats")] : [];
  part("bars").replaceChildren(...table.rows.map((row) => h(row[2] === "used" ? "b" : "b.lw-idle", {style: `height:${Math.max(2, high(row[1]))}%`, title: `${row[0]}: ${pg.number(row[1])} ${nats ? "nats" : "change"}`})), ...line);
  part("bars").setAttribute("role", "img");
  part("bars").setAttribute("aria-label", `${table.columns[1]} of each of ${values.length}, sorted, on a logarithmic scale; ${table.rows.filter((r) => r[2] === "used").length} are used`);
};
walks.on("rows", (job) => {
  if (job.views.numbers) bars(job.views.numbers);
  if (job.views.base) { const seen = pg.unpack(job.views.base.pixels); base.show(seen.at(seen.leading[0] - 1)); if (!job.stale) walks.shrunk("base", seen.at(seen.leading[0] - 1)); }
});

// ---- directions
const choice = (key, words) => h("select.pg-select", {"aria-label": words, "data-direction": key, onchange: (event) => latent.set({[key]: event.target.value})});
const [towards, away] = [choice("towards", "towards the class"), choice("away", "away from the class")];
part("classes").append(h("label.lt-field", {}, "Towards", towards), h("label.lt-field", {}, "Away from", away));
const usual = () => String(Math.min(8, walks.labels().length - 1));
desk("directions", (table, view) => view.group.map((words, i) => {
  const [, r2, told, reach] = table.rows[i] || [words, null, "", 3];
  return {words, under: [r2 === null ? "R² not known" : `R² ${signed(r2)}`, told].filter(Boolean).join(" · "), dull: false, at: 0.5, reach,
    say: (v) => (reach === 2 ? `${signed(v)} of the way` : `${signed(v)} standard deviations`)};
}));

// ---- arithmetic
const letters = {a: "A", b: "B", c: "C"};
const three = Object.entries(letters).map(([key, words]) => [key, walks.picker(key, words)]);
part("sum").append(...three.map(([, picker], i) => h("div.lw-term", {}, h("span.lw-sign", {}, ["", "−", "+"][i]), picker.node)));
let result = null;
walks.on("sum", (job) => {
  part("part", "sum").classList.toggle("stale", Boolean(job.stale) && job.status !== "idle");
  const view = job.views.sum;
  if (!view || result === `${view.run} ${view.at}`) return;
  result = `${view.run} ${view.at}`;
  const seen = pg.unpack(view.pixels);
  three.forEach(([key, picker], i) => { picker.show(seen.at(i)); walks.shrunk(key, seen.at(i)); });
  part("results").replaceChildren(h("span.lw-sign", {}, "="), ...[3, 4].map((i) => h("figure", {}, pg.paint(h("canvas"), seen.at(i)), h("figcaption", {}, view.captions[i]))));
  part("said", "sum").textContent = view.caption;
});

latent.on("state", () => {
  if (latent.state.tab !== "perturb") return;
  const options = (none) => [h("option", {value: "-1"}, none), ...walks.labels().map((name, i) => h("option", {value: String(i)}, name))];
  towards.replaceChildren(...options("no class"));
  away.replaceChildren(...options("the mean of all"));
  towards.value = latent.state.towards || usual();
  away.value = latent.state.away || "-1";
  part("classes").hidden = !walks.coded() || !walks.labels().length;
  const own = walks.knobs(["base"]);
  walks.ask("rows", latent.request("perturb", own));
  walks.ask("directions", latent.request("directions", {...own, ...(walks.coded() && walks.labels().length ? {towards: Number(towards.value), away: Number(away.value)} : {})}));
  walks.ask("sum", latent.request("arithmetic", walks.knobs(["a", "b", "c"])));
});
