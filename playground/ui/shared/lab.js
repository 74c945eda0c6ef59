// The laboratory's whole state is one plain object, mirrored into the address; every element draws it and changes it here.
"use strict";
window.lab = window.lab || {};
(() => {
  const pg = window.playground;
  const lab = window.lab;
  const VIEWS = ["density", "difference", "samples"];
  const FIRST = {target: {name: "ring"}, learners: [], data: 10000, seed: 17, budget: {kind: "seconds", amount: 3}, rate: 1, width: null,
    settings: {}, view: "density", selected: null, story: null, probe: null};
  const WIDTHS = [16, 32, 64, 128, 256];
  const MOST_OWN = 60_000; // characters of one's own target in an address

  const state = structuredClone(FIRST);
  let wire = false;

  const {on, tell} = pg.board((topic) => lab.facts && ["facts", "state", "race", "selected"].includes(topic));

  const ask = (name, asked = {}) => (wire ? pg.ask(name, asked) : Promise.resolve({ok: false, error: "The page is not connected yet."}));

  // ---- what the server told, as the elements use it
  const KINDS = {exact: "exact", "lower bound": "a lower bound", estimate: "an estimate", unnormalised: "unnormalised", none: "no density"};
  const kinds = (kind) => KINDS[kind] || "";

  const entry = (told) => ({...told, record: told.record || {name: told.name}, logp: told.logp && told.logp.b64 ? lab.crown(lab.int16(told.logp.b64, 100)) : null,
    points: told.points && told.points.b64 ? lab.int16(told.points.b64, 2000) : null});

  const learnerOf = (name) => lab.facts && lab.facts.learners.find((one) => one.name === name);
  const titleOf = (name) => (name === "truth" ? "The truth" : (learnerOf(name) || {}).title || name);

  // ---- the address: what differs from the first state; one's own target behind the #, which no server is sent
  const packed = async (text) => {
    const squeezed = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(squeezed).arrayBuffer());
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const unpacked = async (text) => {
    const bytes = pg.bytes(text.replace(/-/g, "+").replace(/_/g, "/"));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  };

  const query = () => {
    const made = new URLSearchParams();
    const all = lab.facts.learners.map((one) => one.name);
    if (state.target.name) made.set("target", state.target.name);
    if (!pg.same(state.learners, all)) made.set("learners", state.learners.join(","));
    for (const key of ["data", "seed", "rate", "width", "view", "selected", "story"]) {
      if (!pg.same(state[key], FIRST[key])) made.set(key, state[key] ?? "");
    }
    if (state.probe) made.set("probe", state.probe.join(","));
    if (!pg.same(state.budget, FIRST.budget)) made.set("budget", `${state.budget.amount}${state.budget.kind === "steps" ? "steps" : "s"}`);
    if (Object.keys(state.settings).length) made.set("settings", JSON.stringify(state.settings));
    const theme = new URLSearchParams(location.search).get("__theme");
    if (theme) made.set("__theme", theme);
    return made.toString();
  };
  // {url, whole}: whether one's own target is in it.
  const link = async () => {
    const own = state.target.name ? "" : await packed(JSON.stringify(state.target));
    const whole = own.length <= MOST_OWN;
    const asked = query();
    return {url: `${location.origin}${location.pathname}${asked ? `?${asked}` : ""}${own && whole ? `#own=${own}` : ""}`, whole};
  };
  let mirroring = 0;
  const mirror = () => {
    clearTimeout(mirroring);
    mirroring = setTimeout(async () => history.replaceState(null, "", (await link()).url), 120);
  };

  const whole = (text, low, high) => {
    const value = Number(text);
    return text && Number.isInteger(value) && value >= low && value <= high ? value : null;
  };
  const budgetOf = (text) => {
    const found = /^(\d+(?:\.\d+)?)(s|steps)$/.exec(text || "");
    const amount = found ? Number(found[1]) : 0;
    const kind = found && found[2] === "steps" ? "steps" : "seconds";
    return amount > 0 && amount <= (kind === "steps" ? 100_000 : 30) ? {kind, amount} : null;
  };
  const pointOf = (text) => {
    const point = (text || "").split(",").map((v) => (v.trim() ? Number(v) : NaN));
    return point.length === 2 && point.every((v) => Math.abs(v) <= lab.HALF) ? point : null;
  };
  const object = (text) => {
    try {
      const made = JSON.parse(text);
      return made && typeof made === "object" && !Array.isArray(made) && Object.values(made).every((v) => v && typeof v === "object") ? made : null;
    } catch { return null; }
  };

  // What of the address makes sense is taken.
  const restore = async () => {
    const asked = new URLSearchParams(location.search);
    const names = lab.facts.learners.map((one) => one.name);
    const chosen = (asked.get("learners") ?? names.join(",")).split(",").filter((name) => names.includes(name));
    const rate = Number(asked.get("rate"));
    Object.assign(state, {
      learners: asked.has("learners") ? names.filter((name) => chosen.includes(name)) : names,
      data: whole(asked.get("data"), 1000, 100_000) ?? state.data, seed: whole(asked.get("seed"), 0, 2 ** 31 - 1) ?? state.seed,
      width: WIDTHS.includes(Number(asked.get("width"))) ? Number(asked.get("width")) : null, rate: rate >= 0.01 && rate <= 100 ? rate : state.rate,
      budget: budgetOf(asked.get("budget")) || state.budget, settings: object(asked.get("settings")) || {},
      view: VIEWS.includes(asked.get("view")) ? asked.get("view") : state.view, story: asked.get("story"), probe: pointOf(asked.get("probe")),
      selected: asked.has("selected") ? (["truth", ...names].includes(asked.get("selected")) ? asked.get("selected") : null) : state.selected});
    const own = /^#own=(.+)$/.exec(location.hash);
    if (own) {
      try {
        const record = JSON.parse(await unpacked(own[1]));
        const told = await ask("lab_target", {record});
        if (told.ok) return takeTarget(entry(told.target || told));
        pg.toast(told.error);
      } catch { pg.toast("The distribution in this link cannot be read."); }
    }
    const named = asked.get("target");
    takeTarget(lab.facts.targets.find((one) => one.name === named) || lab.facts.targets[0]);
  };

  // ---- changing things
  const takeTarget = (chosen) => {
    lab.target = chosen;
    state.target = chosen.record;
  };
  // A race is about one target and one seed: with others its pictures would be wrong.
  const set = (change) => {
    const before = [state.target, state.seed];
    const {target, ...rest} = change;
    Object.assign(state, rest);
    const named = target && lab.facts.targets.find((one) => pg.same(one.record, target));
    if (named) takeTarget(named);
    else if (target && !pg.same(target, state.target)) adopt(target);
    if (!pg.same(before, [state.target, state.seed])) lab.stop();
    mirror();
    tell("state");
    if ("selected" in change) tell("selected");
  };
  // Where the probe is: in the address, but nothing else is drawn anew for it.
  const remember = (point) => {
    state.probe = point;
    mirror();
  };
  const useTarget = (chosen) => {
    const other = !pg.same(chosen.record, state.target);
    takeTarget(chosen);
    if (other) lab.stop();
    mirror();
    tell("state");
  };
  const adopt = async (record) => {
    const told = await ask("lab_target", {record});
    if (told.ok) useTarget(entry(told.target || told));
    else pg.toast(told.error);
  };
  // A control of the whole race: it holds for the next race, and at once for the one that is on.
  const turn = async (name, value) => {
    set({[name]: value});
    if (!lab.race.id || value === null) return;
    const whom = name === "width" ? Object.keys(lab.race.spec.learners).filter(sized) : [null]; // not all have one
    for (const learner of whom) {
      const answered = await lab.tell({do: "set", learner, settings: {[name]: value}});
      if (!answered.ok) { pg.toast(answered.error); return; }
    }
  };

  const sized = (name) => learnerOf(name).knobs.some((one) => one.name === "width");

  // What a race is started with.
  const spec = () => {
    const own = (name) => {
      return {...(state.width !== null && sized(name) ? {width: state.width} : {}), ...(state.settings[name] || {})};
    };
    return {target: state.target, learners: Object.fromEntries(state.learners.map((name) => [name, own(name)])), data: state.data, seed: state.seed,
      budget: state.budget, rate: state.rate};
  };

  // The wire is up: fetch the facts, then show what the address asks for.
  const connect = async (made) => {
    pg.attach(made);
    wire = true;
    const told = await pg.patiently(() => ask("lab_facts"));
    if (!told.ok) {
      lab.problem = told.error;
      tell("problem");
      document.documentElement.dataset.pgReady = "empty";
      return;
    }
    lab.facts = {...told, targets: told.targets.map(entry)};
    await restore();
    for (const topic of ["facts", "state", "race", "selected"]) tell(topic);
    document.documentElement.dataset.pgReady = "yes";
  };

  const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  Object.assign(lab, {WIDTHS, state, on, tellAll: tell, ask, set, remember, useTarget, turn, spec, connect, link, entry, kinds, learnerOf, titleOf, ARROWS, facts: null, target: null, problem: ""});
})();
