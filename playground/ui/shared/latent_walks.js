// What the sections Walk and Perturb share: whose codes they take, in the page's state and address; and their work,
// one piece at a time over a wire of their own, only for the section in sight.
"use strict";
(() => {
  const pg = window.playground;
  const {latent} = window;
  const {h} = pg;
  // Whose code each end is, as the server names it, and its picture where it is the visitor's own (a PNG, as in a data
  // URL). beside: the second model of a walk; at: the share of the way; towards, away: classes.
  const ENDS = ["first", "second", "base", "a", "b", "c"];
  const CLASSES = {first: 3, second: 8, base: 3, a: 3, b: 1, c: 1};
  const SEEDS = {first: 11, second: 13, base: 11, a: 11, b: 16, c: 46}; // of digits that look like what they are
  const LONGEST = 2400; // letters of a picture in the address
  const given = (key) => `${key}_picture`;
  const DEFAULTS = Object.fromEntries([...ENDS, ...ENDS.map(given), "beside", "at", "towards", "away"].map((key) => [key, ""]));
  const NAME = /^(test-(any|\d{1,3})-\d{1,9}|sample-\d{1,9}|mean-(any|\d{1,3})|yours)$/;

  const coded = () => latent.model().fits.reconstruct === null;
  const labels = () => (latent.shelf().datasets.find((d) => d.name === latent.model().data) || {labels: []}).labels;
  const usual = (key) => (coded() ? `test-${Math.min(CLASSES[key], Math.max(0, labels().length - 1))}-${SEEDS[key]}` : `sample-${SEEDS[key]}`);
  const whose = (key) => {
    const name = latent.state[key];
    const [kind, which] = name.split("-");
    const fits = NAME.test(name) && (coded() || kind === "sample") && (kind !== "yours" || latent.state[given(key)])
      && (kind === "sample" || kind === "yours" || which === "any" || Number(which) < labels().length);
    return fits ? name : usual(key);
  };
  latent.extend(DEFAULTS, (state) => {
    for (const key of ENDS) if (state[key] && !NAME.test(state[key])) state[key] = "";
    for (const key of ENDS.map(given)) if (!/^[\w-]*$/.test(state[key]) || state[key].length > LONGEST) state[key] = "";
    for (const key of ["towards", "away"]) if (state[key] !== "" && !(Number(state[key]) >= -1 && Number(state[key]) < labels().length)) state[key] = "";
    if (state.at !== "" && !(Number(state.at) >= 0 && Number(state.at) <= 1)) state.at = "";
    if (state.beside && !besides().some((m) => m.name === state.beside)) state.beside = "";
  });
  const besides = () => {
    const offered = (((latent.model() || {knobs: {}}).knobs.walk || []).find((s) => s.name === "others") || {}).options || [];
    return latent.models().filter((m) => offered.includes(m.name));
  };

  // ---- pictures of one's own: base64 without what an address would have to escape
  const short = (url) => url.slice(url.indexOf(",") + 1).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const long = (text) => `data:image/png;base64,${text.replace(/-/g, "+").replace(/_/g, "/")}${"=".repeat((4 - (text.length % 4)) % 4)}`;
  const held = {}; // pictures too long for the address, by key
  const picture = (key) => held[key] || long(latent.state[given(key)]);
  const take = (key, url) => {
    const text = short(url);
    held[key] = text.length > LONGEST ? url : null;
    latent.set({[key]: "yours", [given(key)]: text.length > LONGEST ? "own" : text});
  };
  // What the server made of it is small: the link can hold that.
  const shrunk = (key, made) => {
    if (whose(key) !== "yours" || !held[key]) return;
    const text = short(pg.paint(h("canvas"), made).toDataURL("image/png"));
    if (text.length <= LONGEST) { held[key] = null; quiet = true; latent.set({[given(key)]: text}); quiet = false; }
  };
  let quiet = false;

  const knobs = (keys) => Object.fromEntries(keys.flatMap((key) => [[key, whose(key)], ...(whose(key) === "yours" ? [[given(key), picture(key)]] : [])]));

  // ---- work
  // status: idle, waiting, running, done, stopped, failed; views: by key; want: the request as text.
  const JOBS = {walk: "walk", rows: "perturb", directions: "perturb", sum: "perturb"};
  const jobs = Object.fromEntries(Object.keys(JOBS).map((name) => [name, {name, status: "idle", views: {}, progress: null, text: "", want: "", run: 0}]));
  const listeners = {};
  const on = (name, listener) => (listeners[name] = listeners[name] || []).push(listener);
  const tell = (job) => (listeners[job.name] || []).forEach((listener) => listener(job));
  let wire = null;
  let now = null; // the job on the wire
  let runs = 0;
  const halt = (status) => {
    if (!now) return;
    wire.stop();
    Object.assign(now, {status, progress: null, run: 0, want: status === "idle" ? "" : now.want});
    const job = now;
    now = null;
    tell(job);
  };
  const ask = (name, request) => {
    const job = jobs[name];
    const want = JSON.stringify(request);
    if (job.want === want) return;
    if (quiet) { job.want = want; return; } // the same picture by another name
    if (now === job) halt("waiting");
    Object.assign(job, {want, status: "waiting", text: "", progress: null, stale: true});
    tell(job);
    pump();
  };
  const again = (name) => { const request = JSON.parse(jobs[name].want); jobs[name].want = ""; ask(name, request); };
  const pump = () => {
    if (!wire || now) return;
    now = Object.values(jobs).find((job) => job.status === "waiting" && JOBS[job.name] === latent.state.tab) || null;
    if (!now) return;
    Object.assign(now, {status: "running", run: ++runs, begun: performance.now()});
    tell(now);
    wire.start({run: now.run, request: JSON.parse(now.want)});
  };
  const receive = (message) => {
    if (!message || !now || message.run !== now.run) return;
    const job = now;
    const views = message.views.filter((v) => v.view !== "Progress");
    const refused = views.find((v) => v.view === "Refusal");
    Object.assign(job, {progress: message.views.find((v) => v.view === "Progress") || null, text: refused ? refused.text : ""});
    if (views.length && !refused) Object.assign(job, {stale: false, views: Object.fromEntries(views.map((v) => [v.key, {...v, run: job.run}]))});
    if (message.done) {
      Object.assign(job, {status: refused ? "failed" : "done", progress: null, seconds: message.seconds});
      now = null;
    }
    tell(job);
    pump();
  };
  const lost = () => {
    if (!now) return;
    const job = now;
    now = null;
    Object.assign(job, {status: "failed", progress: null, text: "The server did not take this, or stopped before it was done. Wait a moment, then try again."});
    tell(job);
  };
  const connect = (made) => {
    wire = made;
    latent.on("state", () => {
      const before = pg.lost;
      if (before && !before.walks) pg.lost = Object.assign(() => { before(); lost(); }, {walks: true});
      if (now && JOBS[now.name] !== latent.state.tab) halt("idle");
      pump();
    });
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") halt("stopped"); });

  // ---- what both sections show: how far it has come, and what went wrong
  const progress = (name, what) => {
    const node = h("div.lw-progress", {}, h("div.pg-bar", {}, h("i")), h("p", {}, h("span"), h("button.pg-link", {type: "button", "data-cancel": name, onclick: () => halt("stopped")}, "Cancel")));
    const text = h("p.lw-text", {role: "status", hidden: true});
    on(name, (job) => {
      node.classList.toggle("on", job.status === "running");
      const told = job.progress;
      node.querySelector("i").style.width = told && told.total > 1 ? `${(100 * told.done) / told.total}%` : "";
      node.querySelector(".pg-bar").classList.toggle("unknown", !told || told.total <= 1);
      node.querySelector("span").textContent = told ? told.text : job.status === "running" ? `${what}…` : "";
      text.hidden = !job.text && job.status !== "stopped";
      text.replaceChildren(...(text.hidden ? [] : [job.text || "Stopped. ", h("button.pg-link", {type: "button", onclick: () => again(name)}, "Again")]));
    });
    return [node, text];
  };

  // ---- strips: pictures in a row, the one under the finger blended
  const mixed = (pixels, row, columns, t) => {
    const at = Math.min(1, Math.max(0, t)) * (columns - 1);
    const left = Math.min(columns - 2, Math.floor(at));
    const [a, b] = [pixels.at(row * columns + left), pixels.at(row * columns + left + 1)];
    const data = new Uint8ClampedArray(a.data.length);
    for (let i = 0; i < data.length; i++) data[i] = a.data[i] + (at - left) * (b.data[i] - a.data[i]);
    return {...a, data};
  };
  const GAP = 2;
  const LEAST = 28; // pixels of a picture on the screen
  // One canvas for a row; where the room is small, every other picture.
  const paintRow = (canvas, pixels, row, columns, room) => {
    let every = 1;
    while ((columns - 1) % (2 * every) === 0 && room / ((columns - 1) / every + 1) < LEAST) every *= 2;
    const n = (columns - 1) / every + 1;
    const [wide, high] = [n * (pixels.width + GAP) - GAP, pixels.height];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, {width: wide, height: high});
    const context = canvas.getContext("2d");
    const tile = h("canvas");
    context.clearRect(0, 0, wide, high);
    for (let i = 0; i < n; i++) context.drawImage(pg.paint(tile, pixels.at(row * columns + i * every)), i * (pixels.width + GAP), 0);
    canvas.classList.toggle("pg-grey", pixels.channels === 1);
    canvas.dataset.n = n;
    return n;
  };
  // Where on the way a pointer is: a picture's middle is its place.
  const share = (canvas, event) => {
    const box = canvas.getBoundingClientRect();
    const n = Number(canvas.dataset.n);
    return Math.min(1, Math.max(0, (((event.clientX - box.left) / box.width) * n - 0.5) / (n - 1)));
  };
  const across = (canvas, t) => { const n = Number(canvas.dataset.n); return (100 * (0.5 + t * (n - 1))) / n; };

  // Rows of labelled strips as one picture, on the page's ground.
  const sheet = (rows) => {
    const scale = 2;
    const wide = Math.max(...rows.map((r) => r.canvas.width));
    const high = rows[0].canvas.height;
    const canvas = h("canvas", {width: 190 + wide * scale + 20, height: rows.length * (high * scale + 14) + 20});
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(context, {font: "13px sans-serif", textBaseline: "middle", imageSmoothingEnabled: false});
    rows.forEach((row, i) => {
      const top = 12 + i * (high * scale + 14);
      if (document.body.classList.contains("pg-paper") && row.canvas.classList.contains("pg-grey")) context.filter = "invert(1)";
      context.drawImage(row.canvas, 190, top, row.canvas.width * scale, high * scale);
      context.filter = "none";
      context.fillStyle = "#15171c";
      row.label.split("\n").forEach((line, j) => context.fillText(line, 12, top + high * scale / 2 + (j - 0.5) * 17, 170));
    });
    return canvas.toDataURL("image/png");
  };
  const base64 = (data) => {
    let raw = "";
    for (let i = 0; i < data.length; i += 0x8000) raw += String.fromCharCode(...data.subarray(i, i + 0x8000));
    return btoa(raw);
  };
  // Rows in motion, one below the other: ``rows(t)`` gives their pictures.
  const film = async (rows, frames) => {
    const first = rows(0);
    const {height, width, channels} = first[0];
    const size = first.length * height * width * channels;
    const data = new Uint8Array(frames * size);
    for (let k = 0; k < frames; k++) rows(k / (frames - 1)).forEach((one, i) => data.set(one.data, k * size + i * one.data.length));
    const answered = await pg.ask("latent_film", {request: latent.request("plane", {}), shape: [frames, first.length * height, width, channels], b64: base64(data)});
    if (answered.ok) pg.save(answered.name.replace("trail", "walk"), `data:image/gif;base64,${answered.b64}`);
    else pg.toast(answered.error);
  };

  window.walks = {whose, usual, coded, labels, besides, take, shrunk, knobs, jobs, on, ask, again, halt, receive, lost, connect, progress, mixed, paintRow, share, across, sheet, film};
})();
