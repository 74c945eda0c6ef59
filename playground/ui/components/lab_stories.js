// A story sets the page, starts a race and says what to look at; its acts come when the race has got so far.
const pg = window.playground;
const lab = window.lab;
const {h} = pg;
const part = (name) => element.querySelector(name);

// told: the next act; act: the one whose sentence is shown; words: that sentence, if its numbers stand still; race: the race it belongs to; fresh: waiting for a race.
const play = {story: null, told: 0, act: null, words: null, race: null, fresh: false, timer: 0};

const stories = () => (lab.facts ? lab.facts.stories : []);

// ---- {gan.modes} in a sentence is that learner's number as it is now
const WORDS = {
  modes: (n) => (n.modes ? `${n.modes[0]} of ${n.modes[1]}` : null),
  kl: (n) => (Number.isFinite(n.kl) ? `${pg.number(Number(n.kl.toFixed(n.kl < 0.1 ? 3 : 2)))} nats` : null),
  lost: (n) => (Number.isFinite(n.lost) ? `${(100 * n.lost).toFixed(n.lost < 0.0995 ? 1 : 0)} %` : null),
};
const filled = (sentence) => sentence.replace(/\{(\w+)\.(\w+)\}/g, (_, name, what) => {
  const numbers = (lab.panels[name] || {}).numbers;
  return (numbers && WORDS[what] && WORDS[what](numbers)) || "…";
});

const say = () => {
  const words = play.words ?? (play.act ? filled(play.act.say) : "");
  if (part("[data-say]").textContent !== words) part("[data-say]").textContent = words;
};

// ---- acts
const inspect = (change) => document.dispatchEvent(new CustomEvent("lab-inspect", {detail: change}));

const sweep = (act) => {
  clearInterval(play.timer);
  const values = act.sweep;
  if (!values.length) return;
  let i = 0;
  play.timer = setInterval(() => {
    if (i >= values.length || !element.isConnected) { clearInterval(play.timer); return; }
    inspect({t: values[i++]});
  }, (1000 * act.seconds) / values.length);
};

const perform = (act) => {
  if (act.say) play.act = act;
  play.words = act.do && act.do.do === "start" ? filled(act.say) : null; // of the race that ends with it
  if (Object.keys(act.set).length) lab.set(act.set);
  if (Object.keys(act.inspect).length) inspect(act.inspect);
  sweep(act);
  if (act.do && act.do.do === "start") begin();
  else if (act.do) lab.tell(act.do);
  say();
};

const begin = () => {
  play.fresh = true;
  play.race = lab.race && lab.race.id;
  lab.start();
};

// Acts of one race rise in time; where the time falls again, the next race has begun.
const step = () => {
  if (!play.story) return;
  const race = lab.race || {};
  if (play.fresh && race.id && race.id !== play.race) Object.assign(play, {fresh: false, race: race.id});
  if (play.fresh || race.id !== play.race) return;
  const {acts} = play.story;
  while (play.told < acts.length && !play.fresh) {
    const act = acts[play.told];
    const ended = race.status === "done";
    if (!(act.at >= 1 ? ended : (race.progress || 0) >= act.at || ended)) break;
    play.told++;
    perform(act);
  }
  if (play.told === acts.length && race.status === "done" && play.story.cost.length && play.costed !== race.id) cost();
  say();
};

// ---- quality against the number of evaluations
let curves = [];
const cost = async () => {
  const mine = (play.costed = lab.race.id);
  curves = [];
  part("[data-cost-figure]").hidden = false;
  let floor = null;
  for (const learner of play.story.cost.filter((name) => lab.state.learners.includes(name))) {
    const asked = {race: mine, learner};
    let told = await lab.ask("lab_cost", asked);
    const samplers = (told.ok && told.samplers) || [null];
    for (let i = 0; i < samplers.length; i++) {
      if (i) told = await lab.ask("lab_cost", {...asked, sampler: samplers[i]});
      if (play.costed !== mine) return;
      if (!told.ok) { part("[data-cost-note]").textContent = told.error; return; }
      floor = told.floor;
      curves.push({...told, learner});
      drawCost(floor);
    }
  }
};

const titleOf = (name) => (lab.learnerOf(name) || {}).short || name;
const curveTitle = ({learner, sampler}) => [...new Set([titleOf(learner), sampler].filter(Boolean))].join(", "); // not "DDPM, DDPM"
const COUNTS = [1, 2, 4, 8, 16, 32, 64];
const drawCost = (floor) => {
  part("[data-cost-title]").textContent = "Sliced Wasserstein distance to the truth, against evaluations of the network per sample";
  lab.chart(part("[data-cost-chart]"), {
    series: curves.map((c, i) => ({name: `${c.learner} ${c.sampler}`, title: curveTitle(c), style: lab.look(i), points: c.evaluations.map((n, k) => [n, c.sliced[k]])})),
    x: {title: "evaluations of the network", log: true, range: [1, 64], ticks: COUNTS}, y: {log: true}, floor: {value: floor, title: "two true samples"}, marks: true, height: 240,
    label: "quality against the number of evaluations of the network"});
  part("[data-cost-note]").textContent = "All curves of a learner begin at the same noise. The floor is the distance between two true samples of the same size."
    + (curves.some((c) => c.sampler === "rectified") ? " Rectified: the flow trained for 1500 steps more, on 8192 noises of its own and where it took them, then Euler's steps." : "");
};

// ---- choosing one
const tell = (story) => {
  clearInterval(play.timer);
  Object.assign(play, {story, told: 0, act: null, words: null, costed: null});
  part("[data-cost-figure]").hidden = true;
  part("[data-story]").hidden = !story;
  part("[data-look]").textContent = story ? story.look : "";
  for (const button of part("[data-stories]").children) button.setAttribute("aria-pressed", String(Boolean(story) && button.dataset.name === story.name));
  say();
};

const run = (story) => {
  tell(story);
  const here = story.set.learners.filter((name) => lab.learnerOf(name)); // a playground may lack some
  lab.set({...story.set, learners: here, story: story.name});
  if (Object.keys(story.inspect).length) inspect(story.inspect);
  begin();
};

const stop = () => {
  tell(null);
  lab.set({story: null});
};
part("[data-story-tools]").append(pg.tool("close", "End the story; the race goes on", stop, {"data-end-story": true}));

lab.on("facts", () => {
  part("[data-stories]").replaceChildren(...stories().map((story) => h("button.lab-story-button", {type: "button", "data-name": story.name, "aria-pressed": "false", title: story.look,
    onclick: () => run(story)}, pg.icon("play"), h("span", {}, story.title))));
  const asked = stories().find((story) => story.name === lab.state.story);
  if (asked && !play.story) run(asked);
});
for (const topic of ["race", "frame", "numbers"]) lab.on(topic, step);
lab.on("state", () => { if (play.story && lab.state.story !== play.story.name) tell(null); });
new ResizeObserver(() => { if (curves.length && !part("[data-cost-figure]").hidden) drawCost(curves[curves.length - 1].floor); }).observe(part("[data-cost-chart]"));
