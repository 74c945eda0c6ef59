// The Latent page's whole state is one plain object, mirrored into the address; every element draws it and changes it here.
"use strict";
(() => {
  const pg = window.playground;
  // tab: the section in sight; model; how the plane lies; seed: of the pictures it lies through; label: the class asked
  // for; show: codes or pictures; x, y: the place. Sections with a file of their own add to these by ``extend``.
  const DEFAULTS = {tab: "pad", model: "", through: "", seed: "17", label: "", show: "codes", x: "", y: ""};
  const PLANE = ["model", "through", "seed", "label"]; // what a new plane is needed for
  const REST = 90; // milliseconds without a move before the exact picture is asked for
  const state = {...DEFAULTS};
  const checks = []; // of what the address said, by those who added to the state
  const extend = (defaults, check) => { Object.assign(DEFAULTS, defaults); Object.assign(state, defaults); checks.push(check); };
  // status: idle, running, done, failed; lattice: the finest there is; exact: the picture at {x, y} as the model
  // draws it; own: the place of the visitor's picture.
  const result = {status: "idle", run: 0, lattice: null, progress: null, text: "", exact: null, own: null};
  const listeners = {};
  let wire = null;
  let shelf = null;

  const on = (topic, listener) => {
    (listeners[topic] = listeners[topic] || []).push(listener);
    if (shelf) listener();
  };
  const tell = (topic) => (listeners[topic] || []).forEach((listener) => listener());

  // ---- looking things up
  const models = () => shelf.models.filter((m) => m.fits.plane === null);
  const model = (name = state.model) => shelf && models().find((m) => m.name === name);
  const spec = (name) => ((model() && model().knobs.plane) || []).find((s) => s.name === name);
  const value = (name) => state[name] || (spec(name) || {}).default;
  // To begin with: a code of two numbers, which one screen shows whole; else one that can say where pictures are.
  const first = () => {
    const near = models().filter((m) => m.data === (shelf.models.find((n) => n.name === shelf.default) || shelf.models[0]).data);
    return near.find((m) => m.latent === 2 && m.fits.generate === null) || near.find((m) => m.fits.reconstruct === null) || near[0] || models()[0];
  };

  // ---- the address
  const link = () => {
    const query = new URLSearchParams();
    const theme = new URLSearchParams(location.search).get("__theme");
    for (const [key, text] of Object.entries(state)) if (text !== DEFAULTS[key]) query.set(key, text);
    if (theme) query.set("__theme", theme);
    return `${location.origin}${location.pathname}${query.size ? `?${query}` : ""}`;
  };
  let mirroring = 0;
  const mirror = () => { clearTimeout(mirroring); mirroring = setTimeout(() => history.replaceState(null, "", link()), 120); };
  const restore = () => {
    const query = new URLSearchParams(location.search);
    for (const key of Object.keys(DEFAULTS)) if (query.has(key)) state[key] = query.get(key);
    sane();
  };
  // Whatever the address said, the state makes sense.
  const sane = () => {
    if (!model()) state.model = first().name;
    for (const key of ["through", "label"]) if (state[key] && !((spec(key) || {}).options || []).includes(state[key])) state[key] = "";
    if (!/^\d{1,9}$/.test(state.seed)) state.seed = DEFAULTS.seed;
    if (!["codes", "pictures"].includes(state.show)) state.show = DEFAULTS.show;
    for (const key of ["x", "y"]) if (state[key] !== "" && !Number.isFinite(Number(state[key]))) state[key] = "";
    checks.forEach((check) => check(state));
  };

  // ---- changing things
  const set = (change) => {
    const other = change.model && change.model !== state.model;
    const turned = change.through && change.through !== value("through"); // the same numbers are another place then
    Object.assign(state, other ? {through: "", label: "", x: "", y: ""} : turned ? {x: "", y: ""} : {}, change);
    sane();
    mirror();
    tell("state");
    settle();
  };
  // A plane is laid where it is looked at: the pad's work stops when another section is opened.
  let laid = "";
  const settle = () => {
    const due = PLANE.map((key) => state[key]).join();
    if (state.tab !== "pad" && result.status === "running") { cancel(); laid = ""; }
    if (state.tab === "pad" && laid !== due) { laid = due; load(); }
  };
  // The place under the finger: no other element changes with it but the pad.
  const place = () => {
    const [left, right, bottom, top] = result.lattice.extent;
    const within = (text, low, high) => (text === "" ? (low + high) / 2 : Math.min(high, Math.max(low, Number(text))));
    return {x: within(state.x, left, right), y: within(state.y, bottom, top)};
  };
  let resting = 0;
  const move = (x, y) => {
    const [left, right, bottom, top] = result.lattice.extent;
    state.x = Math.min(right, Math.max(left, x)).toFixed(3);
    state.y = Math.min(top, Math.max(bottom, y)).toFixed(3);
    mirror();
    tell("place");
    clearTimeout(resting);
    resting = setTimeout(look, REST);
  };

  // ---- asking and running
  const request = (activity, knobs) => {
    const taken = (name) => (model().knobs[activity] || []).some((one) => one.name === name);
    const chosen = ["through", "label"].filter((name) => taken(name) && value(name)).map((name) => [name, value(name)]);
    return {model: state.model, activity, seed: Number(state.seed), knobs: {...Object.fromEntries(chosen), ...knobs}};
  };
  const load = () => {
    if (result.status === "running") wire.stop();
    Object.assign(result, {status: "running", run: result.run + 1, progress: null, text: "", exact: null, own: null, stale: true});
    tell("result");
    wire.start({run: result.run, request: request("plane", {})});
  };
  const cancel = () => {
    if (result.status !== "running") return;
    wire.stop();
    Object.assign(result, {status: result.stale ? "stopped" : "done", run: result.run + 1, progress: null});
    tell("result");
    if (!result.stale) look();
  };
  const receive = (message) => {
    if (!message || message.run !== result.run || result.status !== "running") return;
    const view = (kind) => message.views.find((v) => v.view === kind);
    const lattice = view("Lattice");
    const refused = view("Refusal");
    if (lattice && (result.stale || lattice.at !== result.at)) {
      const floats = (packed) => (packed ? new Float32Array(pg.bytes(packed.b64).buffer) : null);
      Object.assign(result, {at: lattice.at, stale: false, lattice: {...lattice, pictures: pg.unpack(lattice.pixels), side: lattice.pixels.shape[0],
        points: floats(lattice.points), anchors: floats(lattice.anchors), classes: lattice.classes ? pg.bytes(lattice.classes.b64) : null}});
      tell("lattice");
      clearTimeout(resting);
      resting = setTimeout(look, REST);
    }
    Object.assign(result, {progress: view("Progress") || null, text: refused ? refused.text : ""});
    if (message.done) Object.assign(result, {status: refused ? "failed" : "done", progress: null});
    tell("result");
  };
  const lost = () => {
    if (result.status !== "running") return;
    Object.assign(result, {status: "failed", run: result.run + 1, progress: null, text: "The server did not take this, or stopped before it was done. Wait a moment, then try again."});
    tell("result");
  };
  // The exact picture at the present place; an answer that comes too late is thrown away.
  const look = async () => {
    if (!result.lattice || result.stale) return;
    const {x, y} = place();
    const asked = {run: result.run, x, y};
    const begun = performance.now();
    const answered = await pg.ask("views", {request: request("spot", {x, y})});
    const now = place();
    if (asked.run !== result.run || now.x !== x || now.y !== y) return;
    const drawn = answered.ok && answered.views.find((v) => v.view === "Images");
    if (!drawn) return;
    result.exact = {x, y, picture: pg.unpack(drawn.pixels).at(0), seconds: (performance.now() - begun) / 1000};
    tell("exact");
  };

  // The visitor's own picture has been coded; a code of two numbers is gone to at once.
  const mark = (own) => {
    result.own = own;
    tell("place");
    if (own && model().latent === 2) move(own.x, own.y);
  };

  const connect = async (made) => {
    wire = made;
    pg.attach(made);
    pg.lost = lost;
    let answered = await pg.ask("describe");
    for (const pause of [400, 1200]) { // a busy server may lose the first question
      if (answered.ok) break;
      await new Promise((resolve) => setTimeout(resolve, pause));
      answered = await pg.ask("describe");
    }
    if (!answered.ok || !answered.shelf.models.some((m) => m.fits.plane === null)) {
      document.documentElement.dataset.latent = "empty";
      for (const note of document.querySelectorAll("#pg-latent .pg-waiting")) note.textContent = answered.ok ? "There is no trained model with a latent space here yet: run  python -m playground.train NAME." : answered.error;
      return;
    }
    shelf = answered.shelf;
    restore();
    document.querySelector("[data-device]").textContent = shelf.device;
    tell("state");
    settle();
    document.documentElement.dataset.latent = "yes";
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") cancel(); });

  window.latent = {state, result, on, set, extend, move, mark, place, cancel, receive, connect, models, model, spec, value, request, load, link, shelf: () => shelf};
})();
