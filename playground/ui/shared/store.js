// The page's whole state is one plain object, mirrored into the address; every element draws it and changes it here.
"use strict";
(() => {
  const pg = window.playground;
  const FIRST_SEED = 17;
  const OWN_KEYS = new Set(["data", "model", "do", "seed", "lock", "view", "deep_link", "__theme"]);

  // seed: the number shown; fresh: nothing has been drawn with it yet; knobs: only what differs from its default.
  const state = {data: null, model: null, activity: null, seed: FIRST_SEED, locked: false, fresh: true, knobs: {}};
  // status: idle, running, done, failed; views: what is shown, in order; request: what it was asked with.
  const result = {status: "idle", run: 0, views: [], request: null, seconds: null, begun: 0, heard: false, text: ""};
  let wire = null;
  let shelf = null;

  const {on, tell} = pg.board(() => shelf);

  // ---- looking things up
  const model = (name = state.model) => shelf && shelf.models.find((m) => m.name === name);
  const activities = () => shelf.activities.filter((a) => a.page === "play");
  const activity = () => shelf && shelf.activities.find((a) => a.name === state.activity);
  const whyNot = (name = state.model, doing = state.activity) => {
    const found = model(name);
    if (!found) return "it is not on this shelf";
    return doing in found.fits ? found.fits[doing] : "this playground cannot do that";
  };
  const specs = () => (model() && model().knobs[state.activity]) || [];
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  const pictured = (spec) => spec.knob === "Picture" || spec.knob === "Drawing"; // too long for an address
  const knob = (spec) => {
    const value = state.knobs[spec.name];
    return value !== undefined && pg.takes(spec, value) ? value : spec.default;
  };
  const turned = () => Object.fromEntries(specs().filter((s) => !same(knob(s), s.default)).map((s) => [s.name, knob(s)]));
  const request = () => ({model: state.model, activity: state.activity, knobs: turned(), seed: state.seed});

  // ---- the address
  const key = (name) => (OWN_KEYS.has(name) ? `knob.${name}` : name);
  const link = () => {
    const query = new URLSearchParams();
    const theme = new URLSearchParams(location.search).get("__theme");
    query.set("data", state.data);
    query.set("model", state.model);
    query.set("do", state.activity);
    query.set("seed", state.seed);
    if (state.locked) query.set("lock", "1");
    const pictures = new Set(specs().filter(pictured).map((s) => s.name));
    for (const [name, value] of Object.entries(turned())) {
      if (!pictures.has(name)) query.set(key(name), Array.isArray(value) ? value.join(",") : value);
    }
    if (theme) query.set("__theme", theme);
    return `${location.origin}${location.pathname}?${query}`;
  };
  const mirror = () => history.replaceState(null, "", link());

  // Reads the address; true if it asks for a run.
  const restore = () => {
    const query = new URLSearchParams(location.search);
    const asked = model(query.get("model")) || best(query.get("data"));
    if (!asked) return false;
    Object.assign(state, {data: asked.data, model: asked.name});
    const doing = query.get("do");
    state.activity = activities().some((a) => a.name === doing) ? doing : activities()[0].name;
    const seed = Number(query.get("seed"));
    const seeded = query.has("seed") && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31;
    if (seeded) state.seed = seed;
    state.locked = query.get("lock") === "1";
    for (const spec of specs()) {
      const text = query.get(key(spec.name));
      if (text !== null && pg.takes(spec, pg.parsed(spec, text))) state.knobs[spec.name] = pg.parsed(spec, text);
    }
    return seeded && query.has("model");
  };

  // The model to begin with: the one the server names, else the first on the data set that was asked for.
  const best = (data) => {
    const there = shelf.models.filter((m) => !data || m.data === data);
    return there.find((m) => m.name === shelf.default) || there[0] || shelf.models[0];
  };

  // ---- changing things
  const set = (change) => {
    Object.assign(state, change);
    if (change.data && model().data !== change.data) state.model = best(change.data).name;
    if (change.model) state.data = model().data;
    if (change.seed !== undefined) state.fresh = true;
    mirror();
    tell("state");
    if (change.model || change.activity || change.data) clear();
  };
  const turn = (name, value) => set({knobs: {...state.knobs, [name]: value}});
  const newSeed = () => set({seed: Math.floor(Math.random() * 100000)});

  const clear = () => {
    if (result.status === "running") cancel();
    Object.assign(result, {status: "idle", run: result.run + 1, views: [], request: null});
    tell("result");
  };

  // ---- running
  const run = () => {
    if (!wire || !shelf || !state.model || whyNot() !== null) return;
    if (result.status === "running") wire.stop();
    if (!state.fresh && !state.locked) state.seed = Math.floor(Math.random() * 100000);
    state.fresh = false;
    const keep = result.request && result.request.model === state.model && result.request.activity === state.activity;
    Object.assign(result, {status: "running", run: result.run + 1, request: request(), seconds: null, heard: false,
      begun: performance.now(), text: "", stale: Boolean(keep), views: keep ? result.views : []});
    mirror();
    tell("state");
    tell("result");
    wire.start({run: result.run, request: result.request});
  };
  const cancel = () => {
    if (result.status !== "running") return;
    wire.stop();
    Object.assign(result, {status: result.stale || !result.views.length ? "idle" : "stopped", run: result.run + 1});
    if (result.stale) result.views = [];
    result.views = result.views.filter((view) => view.view !== "Progress");
    tell("result");
  };
  const receive = (message) => {
    if (!message || message.run !== result.run || result.status !== "running") return;
    Object.assign(result, {heard: true, stale: false, views: message.views.map((view) => ({...view, run: message.run}))});
    if (message.done) Object.assign(result, {status: "done", seconds: message.seconds});
    tell("result");
  };
  const lost = () => {
    if (result.status !== "running") return;
    const text = navigator.onLine === false || !result.heard
      ? "The server did not take this: it may be busy or gone. Wait a moment, then press Generate again."
      : "The server stopped before it was done. Press Generate to try again.";
    Object.assign(result, {status: "failed", run: result.run + 1, views: [{view: "Refusal", key: "main", at: 0, text}]});
    tell("result");
  };

  const ask = async (name, asked = {}) => {
    try {
      const answered = await wire.server[name](asked);
      return answered || {ok: false, error: "The server did not answer. Is it still running?"};
    } catch {
      return {ok: false, error: "The server cannot be reached. Is it still running?"};
    }
  };

  // Another page than Play has only its questions to ask.
  const attach = (made) => { wire = made; };

  // The wire is up: fetch the shelf, then show what the address asks for.
  const connect = async (made) => {
    attach(made);
    const answered = await pg.patiently(() => ask("describe"));
    if (!answered.ok || !answered.shelf.models.length) {
      const text = answered.ok ? "There is no trained model here yet: run  python -m playground.train NAME." : answered.error;
      Object.assign(result, {status: "failed", views: [{view: "Refusal", key: "main", at: 0, text}]});
      document.documentElement.dataset.pgReady = "empty";
      tell("result");
      return;
    }
    shelf = answered.shelf;
    const again = restore();
    tell("shelf");
    tell("state");
    if (again && whyNot() === null) run();
    else tell("result");
    document.documentElement.dataset.pgReady = "yes";
    if (shelf.remembered) refresh();
  };

  // The shelf was that of the server's last start: models are the same, the device may not be.
  const refresh = async () => {
    const answered = await ask("describe", {fresh: true});
    if (!answered.ok) return;
    shelf = answered.shelf;
    tell("shelf");
    tell("state");
  };

  Object.assign(pg, {state, result, on, set, turn, knob, specs, pictured, same, model, activity, activities, whyNot, newSeed, run, cancel, receive,
    lost, ask, attach, connect, link, tellState: () => tell("state"), request, shelf: () => shelf});
})();
