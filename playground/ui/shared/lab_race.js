// The race: asks for news as long as there are any, keeps a picture of every fortieth for looking back, and tells the elements.
"use strict";
(() => {
  const pg = window.playground;
  const lab = window.lab;
  const KEPT = 40; // pictures kept per budget
  const MOST = 1500; // points of a curve before every other one is dropped
  const REST = 400; // ms between two questions while nothing runs

  const none = () => ({id: null, status: "idle", budgets: 1, progress: 0, seconds: 0, seq: 0, spec: null, moment: null, error: ""});
  lab.race = none();
  lab.panels = {};
  let commands = 0; // begun and answered
  let round = 0; // of races; answers about older ones are thrown away

  const panel = (name) => (lab.panels[name] = lab.panels[name] || {frames: [], newest: null, latest: null, numbers: {}, curve: [], losses: {}, trail: [], note: ""});
  const names = () => (lab.race.spec ? Object.keys(lab.race.spec.learners) : []);

  // ---- news
  const thin = (points) => {
    if (points.length > MOST) for (let i = points.length - 2; i > 0; i -= 2) points.splice(i, 1);
  };
  const decode = (told, before) => {
    const frame = {...told, points: told.points ? lab.int16(told.points.b64, 2000) : null, logp: told.logp ? lab.int16(told.logp.b64, 100) : null};
    if (!frame.logp && before && frame.kind !== "none") frame.logp = before.logp; // maps come more rarely than points
    if (!frame.points && before) frame.points = before.points;
    return frame;
  };
  // By what was spent, not by the server's own number: one that had no more to learn stands where it stopped learning.
  const slot = (frame) => {
    const {kind, amount} = lab.race.spec.budget;
    return Math.floor(((kind === "steps" ? frame.step : frame.seconds) / amount) * KEPT + 1e-3);
  };

  // Frames stand by where on the timeline they are; the newest of a place stays, unless the server has kept another.
  const keep = (frames, frame) => {
    const at = slot(frame);
    let i = frames.length;
    while (i > 0 && slot(frames[i - 1]) >= at) i--;
    const there = frames[i] && slot(frames[i]) === at ? frames[i] : null;
    if (there && there.kept !== null && there.kept !== undefined && frame.kept === null) return;
    frames.splice(i, there ? 1 : 0, frame);
  };
  const forget = (p, after, seconds) => {
    p.frames = p.frames.filter((frame) => slot(frame) <= after);
    for (const series of [p.trail, ...Object.values(p.losses)]) while (series.length && series.at(-1)[0] > seconds) series.pop();
  };
  const receive = (told) => {
    const p = panel(told.learner);
    const frame = decode(told, p.newest);
    if (p.newest && frame.step < p.newest.step) forget(p, slot(frame), frame.seconds); // it began anew, or went back
    p.note = frame.note || "";
    p.newest = frame;
    keep(p.frames, frame);
    for (const [player, loss] of Object.entries(frame.loss || {})) {
      const series = (p.losses[player] = p.losses[player] || []);
      if (Number.isFinite(loss) && (!series.length || frame.seconds > series.at(-1)[0])) series.push([frame.seconds, loss]);
      thin(series);
    }
    p.curve = Object.values(p.losses)[0] || [];
    if (lab.race.moment === null) p.latest = frame;
  };
  const count = (name, numbers) => {
    const p = panel(name);
    p.numbers = numbers;
    const at = numbers.seconds ?? (p.newest ? p.newest.seconds : 0);
    if (Number.isFinite(numbers.kl) && (!p.trail.length || at > p.trail.at(-1)[0])) p.trail.push([at, numbers.kl]);
    thin(p.trail);
  };

  // The middle one's, the lower of two: some are done at once, and one that was stopped must not hold up the clock.
  const middle = (key) => {
    const all = names().map((name) => (panel(name)[key] ? panel(name)[key].progress : 0)).sort((a, b) => a - b);
    return all.length ? all[Math.floor((all.length - 1) / 2)] : 0;
  };
  // Not ``sure``: a command went out after this was asked, so what it says of the status may be old.
  const take = (told, sure) => {
    const was = lab.race.status;
    (told.frames || []).forEach(receive);
    Object.entries(told.numbers || {}).forEach(([name, numbers]) => count(name, numbers));
    const {status, seconds, seq, floor} = told.race;
    Object.assign(lab.race, {status: sure ? status : was, seconds, seq, floor, progress: status === "done" ? 1 : middle("newest")});
    new Set((told.frames || []).map((frame) => frame.learner)).forEach((name) => lab.tellAll("frame", name));
    if (told.frames && told.frames.length) lab.tellAll("kept");
    if (told.numbers && Object.keys(told.numbers).length) lab.tellAll("numbers");
    if (was !== lab.race.status || (told.frames || []).length) lab.tellAll("race");
  };

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const pump = async (mine) => {
    let failed = 0;
    while (mine === round && lab.race.id) {
      const before = commands;
      const told = await lab.ask("lab_poll", {race: lab.race.id, since: lab.race.seq});
      if (mine !== round) return;
      if (told.ok) {
        failed = 0;
        take(told, before === commands);
        if (told.race.status === "lost") { lose("The server has forgotten this race."); return; }
        if (told.race.status !== "running" && !(told.frames || []).length) await pause(REST);
      } else {
        if (++failed > 3) { lose(told.error); return; }
        await pause(300 * failed);
      }
    }
  };
  const lose = (error) => {
    Object.assign(lab.race, {id: null, status: "lost", error});
    lab.tellAll("race");
  };

  // ---- what one can do with it
  const start = async () => {
    stop();
    const mine = round;
    const spec = lab.spec();
    lab.race = {...none(), status: "starting", spec};
    lab.tellAll("race");
    const answered = await lab.ask("lab_start", spec);
    if (mine !== round) {
      if (answered.ok) lab.ask("lab_tell", {race: answered.race, command: {do: "stop"}});
      return answered;
    }
    if (!answered.ok) Object.assign(lab.race, {...none(), status: "refused", error: answered.error});
    else Object.assign(lab.race, {id: answered.race, status: "running"});
    lab.tellAll("race");
    if (answered.ok) pump(mine);
    return answered;
  };
  const tell = async (command) => {
    if (!lab.race.id) return {ok: false, error: "Press play first."};
    commands++;
    const answered = await lab.ask("lab_tell", {race: lab.race.id, command});
    commands++;
    return answered;
  };
  // Shown at once; the server says so a moment later.
  const now = async (status, command) => {
    if (!lab.race.id) return {ok: false};
    lab.race.status = status;
    lab.tellAll("race");
    const answered = await tell(command);
    if (!answered.ok) pg.toast(answered.error);
    return answered;
  };
  const stop = () => {
    round++;
    if (lab.race.id) tell({do: "stop"});
    lab.race = none();
    lab.panels = {};
    lab.tellAll("race");
    lab.tellAll("kept");
    lab.tellAll("frame");
    lab.tellAll("numbers");
  };

  // ---- looking back: every panel shows what it was at the ``i``-th of KEPT moments; null: as it is now
  const last = () => Math.floor(lab.race.progress * KEPT * lab.race.budgets + 1e-3);
  const scrub = (i) => {
    lab.race.moment = i === null || i >= last() ? null : Math.max(0, i);
    for (const [name, p] of Object.entries(lab.panels)) {
      const shown = lab.race.moment === null ? p.newest : p.frames.filter((frame) => slot(frame) <= lab.race.moment).at(-1) || p.frames[0];
      if (shown === p.latest) continue;
      p.latest = shown;
      lab.tellAll("frame", name);
    }
    lab.tellAll("kept");
  };
  // The race goes on from the ``i``-th moment; what came after it is forgotten.
  const rewind = async (i) => {
    const answered = await tell({do: "rewind", to: i});
    if (!answered.ok) { pg.toast(answered.error); return answered; }
    for (const p of Object.values(lab.panels)) {
      p.newest = p.frames.filter((frame) => slot(frame) <= i).at(-1) || p.frames[0] || null;
      if (p.newest) forget(p, i, p.newest.seconds);
    }
    lab.race.progress = i / (KEPT * lab.race.budgets);
    scrub(null);
    return answered;
  };

  // Another budget: what is spent already is a smaller part of it all.
  const more = async () => {
    const {budgets, progress} = lab.race;
    Object.assign(lab.race, {budgets: budgets + 1, progress: (progress * budgets) / (budgets + 1)});
    const answered = await now("running", {do: "more"});
    if (!answered.ok) { Object.assign(lab.race, {budgets, progress, status: "done"}); lab.tellAll("race"); }
    return answered;
  };

  const losses = (name) => (lab.panels[name] ? lab.panels[name].losses : {});
  Object.assign(lab, {KEPT, start, stop, tell, losses, scrub, rewind, last,
    pause: () => now("paused", {do: "pause"}), resume: () => now("running", {do: "resume"}), step: () => now("paused", {do: "step"}),
    more});
})();
