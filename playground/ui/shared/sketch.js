// The Sketch page's whole state is one plain object and the strokes, mirrored into the address; every element draws them
// and changes them here. Each chosen model has a slot and a wire of its own: all answer side by side.
"use strict";
(() => {
  const pg = window.playground;
  const {paper, sketching} = pg;
  const SLOTS = 6;
  const PAGE = Array.from({length: 2}, () => Math.random().toString(36).slice(2)).join(""); // two tabs keep apart
  const FEW = 3; // models to begin with
  const REST = 60; // milliseconds after the pen is lifted
  const TURNED = 150; // and after a knob was turned
  const FIRST_SEED = 17;
  const TITLES = {complete: "Complete it", translate: "Sketch to picture", edit: "From faithful to free", continue_drawing: "Stroke by stroke",
    morph: "Between two drawings", transport: "Translate a domain"}; // in this order; others come after
  const GIVEN = ["Canvas", "Strokes", "Picture", "Drawing"]; // knobs that the paper answers
  const OWN_KEYS = ["mode", "data", "models", "seed", "start", "__theme"];

  // models: names; knobs: of the activity, for all models; own: of each model; start: the untouched drawing of the gallery
  // that lies on the paper; sheet: which of two sheets; tool, width, colour: what the hand holds.
  const state = {mode: "", data: "", models: [], seed: FIRST_SEED, knobs: {}, own: {}, start: "", sheet: 0, tool: "pen", width: 20, colour: 0};
  const books = [paper.book(), paper.book()];
  // status: idle, running, held (stopped by a new stroke), stopped, done, failed; stale: the views answer an older question.
  const slots = Array.from({length: SLOTS}, (_, k) => ({k, name: "", status: "idle", run: 0, views: [], progress: null, seconds: null, stale: false, begun: 0, heard: 0}));
  const wires = [];
  let shelf = null;
  let starts = null;
  const {on, tell} = pg.board(() => shelf && starts && state.mode);

  // ---- looking things up
  const place = ({name}) => { const at = Object.keys(TITLES).indexOf(name); return at < 0 ? 99 : at; };
  const modes = () => shelf.activities.filter((a) => a.page === "sketch").sort((a, b) => place(a) - place(b)).map((a) => ({...a, title: TITLES[a.name] || a.title}));
  const model = (name) => shelf.models.find((m) => m.name === name);
  const whyNot = (name, mode = state.mode) => (mode in model(name).fits ? model(name).fits[mode] : "this playground cannot do that");
  const able = (mode = state.mode, data = null) => shelf.models.filter((m) => m.fits[mode] === null && (!data || m.data === data));
  const datasets = (mode = state.mode) => shelf.datasets.filter((d) => able(mode, d.name).length);
  const dataset = (name = state.data) => shelf.datasets.find((d) => d.name === name);
  const book = () => books[state.sheet];
  const slotOf = (name) => slots.find((slot) => slot.name === name);

  const given = (spec) => GIVEN.includes(spec.knob);
  const specsOf = (name) => model(name).knobs[state.mode] || [];
  // What is asked of all chosen models alike, and what of one alone.
  const specs = () => {
    const all = state.models.flatMap((name) => specsOf(name).filter((s) => !s.own && !given(s)));
    return all.filter((spec, i) => all.findIndex((s) => s.name === spec.name) === i);
  };
  const ownSpecs = (name) => specsOf(name).filter((s) => s.own && !given(s));
  const knob = (spec) => (pg.takes(spec, state.knobs[spec.name]) ? state.knobs[spec.name] : spec.default);
  const ownKnob = (name, spec) => { const value = (state.own[name] || {})[spec.name]; return pg.takes(spec, value) ? value : spec.default; };
  const sheets = () => (state.models.some((name) => specsOf(name).filter((s) => s.knob === "Strokes").length > 1) ? 2 : 1);
  const hidden = () => { const spec = specs().find((s) => s.name === "hide"); return spec ? knob(spec) : ""; };
  // Of what a model of these data gets: strokes have no pixels, an outline no colours.
  const shape = (data = dataset()) => {
    const [channels, side] = data.shape.length === 3 ? data.shape : [1, 28];
    return {side, channels: state.mode === "translate" ? 1 : channels, strokes: data.shape.length !== 3};
  };
  const inkless = () => !book().ink(28, 1).data.some((v) => v > 0);
  const blank = () => !shape().strokes && inkless(); // a pen begins by itself where nothing is drawn

  // ---- the address
  const query = () => {
    const made = new URLSearchParams();
    const theme = new URLSearchParams(location.search).get("__theme");
    for (const key of ["mode", "data", "seed", "start"]) if (state[key] !== "") made.set(key, state[key]);
    made.set("models", state.models.join(","));
    for (const spec of specs()) if (!pg.same(knob(spec), spec.default)) made.set(OWN_KEYS.includes(spec.name) ? `knob.${spec.name}` : spec.name, knob(spec));
    for (const name of state.models) for (const spec of ownSpecs(name)) {
      if (!pg.same(ownKnob(name, spec), spec.default)) made.set(`${name}.${spec.name}`, ownKnob(name, spec));
    }
    if (theme) made.set("__theme", theme);
    return made;
  };
  // The whole page in a line of text; without the strokes where they are too many for one.
  const link = async () => {
    const drawn = books.map((b) => b.strokes());
    const letters = state.start || !drawn.some((s) => s.length) ? "" : await sketching.encode(drawn[1].length ? drawn : drawn.slice(0, 1));
    const whole = letters.length <= sketching.MOST;
    return {whole, letters: letters.length, url: `${location.origin}${location.pathname}?${query()}${whole && letters ? `#${letters}` : ""}`};
  };
  let mirroring = 0;
  const mirror = () => {
    clearTimeout(mirroring);
    mirroring = setTimeout(async () => {
      const mine = mirroring;
      const {url} = await link();
      if (mine === mirroring) history.replaceState(null, "", url);
    }, 150);
  };
  const restore = async () => {
    const asked = new URLSearchParams(location.search);
    state.mode = asked.get("mode") || "";
    state.data = asked.get("data") || "";
    state.models = (asked.get("models") || "").split(",").filter(Boolean);
    state.start = asked.get("start") || "";
    if (/^\d{1,9}$/.test(asked.get("seed") || "")) state.seed = Number(asked.get("seed"));
    sane();
    for (const spec of specs()) {
      const text = asked.get(OWN_KEYS.includes(spec.name) ? `knob.${spec.name}` : spec.name);
      if (text !== null) state.knobs[spec.name] = pg.parsed(spec, text);
    }
    for (const name of state.models) for (const spec of ownSpecs(name)) {
      const text = asked.get(`${name}.${spec.name}`);
      if (text !== null) state.own[name] = {...state.own[name], [spec.name]: pg.parsed(spec, text)};
    }
    if (location.hash.length < 2) { lay(starts.find((s) => s.name === state.start) || suited(), false); return; }
    try {
      (await sketching.decode(location.hash.slice(1), 2)).forEach((strokes, i) => books[i].load(strokes));
      state.start = "";
    } catch {
      pg.toast("The drawing in this link cannot be read: it was cut off on its way.");
      lay(suited(), false);
    }
  };

  // Whatever the address said, the state makes sense.
  const sane = () => {
    if (!modes().some((m) => m.name === state.mode && able(m.name).length)) state.mode = (modes().find((m) => able(m.name).length) || {name: ""}).name;
    if (!state.mode) return;
    const usual = (model(shelf.default) || {}).data;
    const there = datasets().map((d) => d.name);
    if (!there.includes(state.data)) state.data = there.includes(usual) ? usual : there[0];
    state.models = state.models.filter((name) => able(state.mode, state.data).some((m) => m.name === name)).slice(0, SLOTS);
    if (!state.models.length) state.models = few();
    if (sheets() < 2) state.sheet = 0;
    for (const slot of slots) if (slot.name && !state.models.includes(slot.name)) empty(slot);
    for (const name of state.models) if (!slotOf(name)) slots.find((slot) => !slot.name).name = name;
  };
  // To begin with: the quickest of each of a few families.
  const few = () => {
    const quick = able(state.mode, state.data).sort((a, b) => (a.expected_seconds ?? 1) - (b.expected_seconds ?? 1));
    const first = quick.filter((m, i) => quick.findIndex((n) => n.family === m.family) === i);
    return [...first, ...quick.filter((m) => !first.includes(m))].slice(0, FEW).map((m) => m.name);
  };
  const empty = (slot) => { if (slot.status === "running") halt([slot]); Object.assign(slot, {name: "", status: "idle", run: slot.run + 1, views: [], progress: null}); };

  // ---- the gallery
  const suits = (start) => (!start.modes || start.modes.includes(state.mode)) && (!start.data || start.data.includes(state.data));
  const suited = () => starts.find(suits) || starts.find((start) => !start.modes || start.modes.includes(state.mode));
  // A drawing of the gallery as strokes; it may say the colour and the width of each.
  const strokesOf = (start) => start.strokes.map((line, i) => ({tool: "pen", width: (start.widths || [])[i] || start.width || 20, colour: (start.colours || [])[i] || 0, at: points(line)}));
  const points = (line) => line.flatMap(([x, y]) => [Math.round(x * (paper.UNIT - 1)), Math.round(y * (paper.UNIT - 1)), 0]);
  // Lays a drawing of the gallery on the paper; one that a person has begun can be had back by undoing.
  const lay = (start, keep = true) => {
    if (!start) return;
    const strokes = strokesOf(start);
    if (keep && !state.start && book().strokes().length) [{tool: "clear"}, ...strokes].forEach((stroke) => book().add(stroke));
    else book().load(strokes);
    Object.assign(state, {start: start.name, width: start.width || 20, knobs: {...state.knobs, ...(start.knobs || {})}});
  };
  const begin = (start) => { hold(); lay(start); mirror(); tell("paper"); tell("state"); ask(); };

  // ---- asking
  const png = ({data, ...size}) => pg.paint(document.createElement("canvas"), {data, ...size}).toDataURL("image/png");
  const answered = (spec, m, second) => {
    const {side, channels} = shape(dataset(m.data));
    if (spec.knob === "Strokes") return books[second ? 1 : 0].pen();
    return spec.name === "hidden" ? (hidden() === "brushed" ? png(book().mask(side)) : undefined) : png(book().ink(side, channels));
  };
  const request = (name) => {
    const m = model(name);
    let sheet = 0;
    const values = specsOf(name).map((spec) => {
      if (given(spec)) return [spec.name, answered(spec, m, spec.knob === "Strokes" && sheet++ > 0)];
      const value = spec.own ? ownKnob(name, spec) : knob(spec);
      return [spec.name, pg.same(value, spec.default) || !pg.takes(spec, value) ? undefined : value];
    });
    return {model: name, activity: state.mode, seed: state.seed, knobs: Object.fromEntries(values.filter(([, value]) => value !== undefined))};
  };
  const start = (slot) => {
    const wire = wires[slot.k];
    if (!wire) return; // it asks when it is up
    const asked = request(slot.name);
    const kept = slot.request && slot.request.activity === asked.activity && slot.request.model === asked.model;
    Object.assign(slot, {status: "running", run: slot.run + 1, request: asked, progress: null, seconds: null, begun: performance.now(), heard: 0,
      views: kept ? slot.views : [], stale: Boolean(kept)});
    wire.start({wire: `${PAGE}.${slot.k}`, run: slot.run, request: asked});
    tell("slot", slot);
  };
  let waiting = 0;
  const ask = () => {
    clearTimeout(waiting);
    if (blank()) { for (const slot of slots) Object.assign(slot, {views: [], status: "idle"}); tell("slots"); return; }
    tell("slots");
    for (const name of state.models) start(slotOf(name));
  };
  const soon = (pause = REST) => { clearTimeout(waiting); waiting = setTimeout(ask, pause); };
  const halt = (running) => { if (running.length) pg.ask("halt", {runs: Object.fromEntries(running.map((slot) => [`${PAGE}.${slot.k}`, slot.run]))}); };
  // The pen is down again, or somebody has had enough: what still runs is stopped.
  const stop = (status) => {
    clearTimeout(waiting);
    const running = slots.filter((one) => one.status === "running");
    halt(running);
    for (const slot of running) {
      Object.assign(slot, {status, run: slot.run + 1, progress: null});
      tell("slot", slot);
    }
  };
  const hold = () => stop("held");
  const receive = (k, message) => {
    const slot = slots[k];
    if (!message || message.run !== slot.run || slot.status !== "running") return;
    const views = message.views.filter((v) => v.view !== "Progress").map((v) => ({...v, run: message.run}));
    slot.progress = message.views.find((v) => v.view === "Progress") || null;
    if (views.length) Object.assign(slot, {views, stale: false, heard: slot.heard || performance.now()});
    if (message.done) Object.assign(slot, {status: "done", seconds: message.seconds, progress: null, stale: false});
    tell("slot", slot);
  };
  const lost = (k) => {
    const slot = slots[k];
    if (slot.status !== "running") return;
    const text = "The server did not take this, or stopped before it was done. Draw on, or press Reroll, to ask again.";
    Object.assign(slot, {status: "failed", run: slot.run + 1, stale: false, progress: null, views: [{view: "Refusal", key: "main", at: 0, run: slot.run, text}]});
    tell("slot", slot);
  };

  // ---- changing things
  const set = (change) => {
    Object.assign(state, change);
    sane();
    const asked = change.mode || change.data;
    if (asked) hold();
    if (asked && state.start && !suits(starts.find((s) => s.name === state.start)) && suited()) { lay(suited()); tell("paper"); }
    mirror();
    tell("state");
    if (Object.keys(change).some((key) => ["mode", "data", "seed"].includes(key))) ask();
  };
  const hand = (change) => { Object.assign(state, change); tell("hand"); };
  const turn = (name, value) => { state.knobs = {...state.knobs, [name]: value}; mirror(); tell("state"); soon(TURNED); };
  const turnOwn = (name, key, value) => { state.own[name] = {...state.own[name], [key]: value}; mirror(); tell("state"); if (!blank()) start(slotOf(name)); };
  const choose = (name) => {
    const there = state.models.includes(name);
    if (there && state.models.length === 1) { pg.toast("One model is to answer; choose another first."); return; }
    set({models: there ? state.models.filter((one) => one !== name) : [...state.models, name]});
    if (!there && !blank()) start(slotOf(name));
  };
  const reroll = () => set({seed: Math.floor(Math.random() * 100000)});
  // The strokes have changed: by a stroke, by taking one back, by a picture.
  const changed = () => { state.start = ""; tell("paper"); mirror(); soon(); };
  const draw = (stroke) => { book().add(stroke); changed(); };
  const act = (name) => { hold(); book()[name](); changed(); };
  const turnTo = (sheet) => { state.sheet = sheet; tell("paper"); tell("state"); };

  // ---- coming up
  const ready = async () => {
    if (!shelf || !starts) return;
    await restore();
    document.querySelector("[data-device]").textContent = shelf.device;
    document.documentElement.dataset.sketch = state.mode ? "yes" : "empty";
    if (!state.mode) { tell("none"); return; }
    for (const topic of ["state", "hand", "paper"]) tell(topic);
    ask();
  };
  const gallery = (list) => { starts = list; ready(); };
  const connect = async (k, made) => {
    wires[k] = made;
    if (k > 0) { if (shelf && state.mode && slots[k].name && !blank()) start(slots[k]); return; }
    pg.attach(made);
    pg.lost = lost;
    const told = await pg.patiently(() => pg.ask("describe"));
    if (!told.ok) {
      document.documentElement.dataset.sketch = "empty";
      for (const note of document.querySelectorAll("#pg-sketch .pg-waiting")) note.textContent = told.error;
      return;
    }
    shelf = told.shelf;
    ready();
  };
  window.addEventListener("hashchange", () => location.reload()); // somebody put another drawing into the address

  window.sketch = {SLOTS, state, slots, on, set, hand, turn, turnOwn, choose, reroll, draw, act, turnTo, begin, changed, hold, cancel: () => stop("stopped"), receive,
    connect, gallery, modes, model, whyNot, able, datasets, dataset, book, slotOf, specs, ownSpecs, knob, ownKnob, sheets, hidden, shape, blank, inkless, suits, strokesOf, link,
    starts: () => starts, shelf: () => shelf};
})();
