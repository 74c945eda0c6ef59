// The Scores page's whole state is one plain object, mirrored into the address; every element draws it and changes it here.
"use strict";
(() => {
  const pg = window.playground;
  // sort: a column's name, with a minus before it for the largest first. a, b: two models. now: the model to measure.
  const DEFAULTS = {data: "all", family: "all", columns: "overview", sort: "", pixels: "8-bit", quality: "frechet", a: "", b: "", n: "", now: "", what: "", size: ""};
  const state = {...DEFAULTS};
  // owner: who asked for what runs; status: idle, running, done, stopped, failed.
  const result = {owner: "", status: "idle", run: 0, views: [], begun: 0, seconds: null, text: ""};
  let wire = null;
  let facts = null;

  const {on, tell} = pg.board(() => facts);

  // ---- looking things up
  const row = (name) => facts && facts.rows.find((r) => r.name === name);
  const families = () => [...new Set(facts.rows.map((r) => r.family_title))];
  // The charts' data set: the one chosen, else that of most models.
  const charted = () => {
    if (state.data !== "all") return state.data;
    const count = (name) => facts.rows.filter((r) => r.data === name).length;
    return facts.datasets.map((d) => d.name).reduce((best, name) => (count(name) > count(best) ? name : best));
  };
  const dataset = (name) => facts.datasets.find((d) => d.name === name);

  // ---- the address
  const link = () => {
    const query = new URLSearchParams();
    const theme = new URLSearchParams(location.search).get("__theme");
    for (const [key, value] of Object.entries(state)) if (value !== DEFAULTS[key]) query.set(key, value);
    if (theme) query.set("__theme", theme);
    return `${location.origin}${location.pathname}${query.size ? `?${query}` : ""}`;
  };
  const restore = () => {
    const query = new URLSearchParams(location.search);
    for (const key of Object.keys(DEFAULTS)) if (query.has(key)) state[key] = query.get(key);
    sane();
  };
  // Whatever the address said, the state makes sense.
  const sane = () => {
    const allowed = {data: ["all", ...facts.datasets.map((d) => d.name)], family: ["all", ...families()], columns: Object.keys(facts.groups), quality: Object.keys(facts.qualities)};
    for (const [key, values] of Object.entries(allowed)) if (!values.includes(state[key])) state[key] = DEFAULTS[key];
    if (!["title", ...facts.columns.map((c) => c.name)].includes(state.sort.replace(/^-/, ""))) state.sort = "";
    const pixels = dataset(charted()).pixels;
    if (!pixels.includes(state.pixels)) state.pixels = pixels[0];
    for (const key of ["a", "b", "now"]) if (!row(state[key])) state[key] = "";
  };
  const set = (change) => {
    Object.assign(state, change);
    sane();
    history.replaceState(null, "", link());
    tell("state");
  };

  // ---- asking and running
  const ask = (name, asked) => pg.ask(name, asked);
  const run = (owner, request) => {
    if (result.status === "running") wire.stop();
    Object.assign(result, {owner, status: "running", run: result.run + 1, views: [], begun: performance.now(), seconds: null});
    tell("result");
    wire.start({run: result.run, request});
  };
  const cancel = () => {
    if (result.status !== "running") return;
    wire.stop();
    Object.assign(result, {status: "stopped", run: result.run + 1, views: result.views.filter((v) => v.view !== "Progress")});
    tell("result");
  };
  const receive = (message) => {
    if (!message || message.run !== result.run || result.status !== "running") return;
    result.views = message.views.map((view) => ({...view, run: message.run}));
    if (message.done) Object.assign(result, {status: "done", seconds: message.seconds});
    tell("result");
  };
  const lost = () => {
    if (result.status !== "running") return;
    const text = "The server did not take this, or stopped before it was done. Wait a moment, then try again.";
    Object.assign(result, {status: "failed", run: result.run + 1, views: [{view: "Refusal", key: "main", at: 0, text}]});
    tell("result");
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") cancel(); });

  const connect = async (made) => {
    wire = made;
    pg.attach(made);
    pg.lost = lost;
    const answered = await pg.patiently(() => ask("scores_facts"));
    if (!answered.ok || !answered.rows.length) {
      document.documentElement.dataset.scores = "empty";
      for (const note of document.querySelectorAll("#pg-scores .pg-waiting")) note.textContent = answered.ok ? "There is no trained model here yet: run  python -m playground.train NAME." : answered.error;
      return;
    }
    facts = answered;
    restore();
    document.querySelector("[data-device]").textContent = facts.device;
    tell("state");
    tell("result");
    document.documentElement.dataset.scores = "yes";
  };

  // A run's progress and views, drawn into an element of one's own.
  const {h} = pg;
  const stage = (owner, box) => {
    const bar = h("i");
    const text = h("span");
    const progress = h("div.sc-progress", {hidden: true}, h("div.pg-bar", {}, bar), h("p", {}, text, h("button.pg-link", {type: "button", "data-cancel": true, onclick: cancel}, "Cancel")));
    const views = h("div.pg-views");
    box.replaceChildren(progress, views);
    let known = {run: 0, view: null}; // the last progress of a run: a view that comes takes its place in the message
    on("result", () => {
      if (result.owner !== owner) { progress.hidden = true; return; }
      const running = result.status === "running";
      const told = result.views.find((v) => v.view === "Progress");
      if (told || known.run !== result.run) known = {run: result.run, view: told || null};
      const {view} = known;
      progress.hidden = !running;
      bar.style.width = view ? `${(100 * view.done) / Math.max(1, view.total)}%` : "";
      bar.parentNode.classList.toggle("unknown", !view);
      const spent = (performance.now() - result.begun) / 1000;
      const rest = view && view.done > 0 && spent > 1 ? (spent / view.done) * (view.total - view.done) : 0;
      text.textContent = view ? `${view.text || `${view.done} of ${view.total}`}${rest > 1 ? `, about ${pg.seconds(rest)} left` : ""}` : "Working…";
      const kept = result.views.filter((v) => v.view !== "Progress");
      const keys = new Set(kept.map((v) => v.key));
      [...views.children].forEach((frame) => keys.has(frame.dataset.view) || frame.remove());
      kept.forEach((v) => pg.drawView(views, v, false));
      box.dataset.status = result.status;
    });
  };

  window.scores = {state, result, on, set, ask, run, cancel, receive, connect, row, families, charted, dataset, link, stage, facts: () => facts};
})();
