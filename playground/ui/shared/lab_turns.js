// A game in slow motion: one player's turn at a time, the verdict of the discriminator before and after it, side by side.
"use strict";
(() => {
  const pg = window.playground;
  const lab = window.lab;
  const {h} = pg;

  const MOVES = {
    discriminator: "It learnt to tell data from samples: blue is where it says data, orange where it says sample. The arrows are where it would push each sample.",
    generator: "It moved its samples along the arrows, to where the discriminator says data.",
  };
  const role = (player) => (player === "generator" ? "generator" : "discriminator");

  // The verdict as a map of two colours about 0, with samples on it and the arrows that push them.
  const picture = (title, moment, push) => {
    const base = h("canvas.pg-turn-base");
    const over = h("canvas.pg-turn-over", {"aria-hidden": true});
    const node = h("figure.pg-turn", {"data-moment": title.toLowerCase()}, h("div.pg-turn-plane", {}, base, over), h("figcaption", {}, title));
    const paint = () => {
      lab.paint(base, {verdict: lab.int16(moment.verdict.b64, 100), points: lab.int16(moment.points.b64, 2000)});
      if (push) lab.over.pushes(lab.pen(over), push);
    };
    return {node, paint};
  };

  // [x, y, u, v] of at most 70 samples: more arrows than that hide each other.
  const pushed = (points, push) => {
    const every = Math.max(1, Math.floor(points.length / 2 / 70));
    const rows = [];
    for (let i = 0; i < points.length / 2; i += every) rows.push([points[2 * i], points[2 * i + 1], push[2 * i], push[2 * i + 1]]);
    return rows;
  };

  const words = (player, {before, after}) => {
    const change = `Its loss: ${pg.number(Number(before.toPrecision(4)))} before, ${pg.number(Number(after.toPrecision(4)))} after.`;
    return `${MOVES[role(player)]} ${change}`;
  };

  const show = (place, answered) => {
    const points = lab.int16(answered.before.points.b64, 2000);
    const push = pushed(points, lab.floats(answered.push));
    const pictures = [picture("Before", answered.before, push), picture("After", answered.after, null)];
    place.replaceChildren(h("div.pg-turn-pair", {}, pictures.map((p) => p.node)), h("p.pg-fine", {"data-turn-words": true}, words(answered.player, answered.loss)));
    pictures.forEach((p) => p.paint());
  };

  const take = async (learner, player, place) => {
    if (!lab.race.id) { place.replaceChildren(h("p.pg-fine", {}, "Press play first: the two begin with the race.")); return; }
    if (lab.race.status === "running") lab.pause();
    const answered = await lab.ask("lab_probe", {race: lab.race.id, question: {what: "turn", learner: learner.name, player, steps}});
    if (answered.ok) show(place, answered);
    else place.replaceChildren(h("p.pg-fine", {role: "alert"}, answered.error));
  };

  const STEPS = [1, 10, 50];
  let steps = 10; // in one turn: a single one hardly shows
  const lengths = () => {
    const buttons = STEPS.map((n) => h("button.pg-chip", {type: "button", "data-steps-of-turn": n, "aria-pressed": String(n === steps), onclick: () => {
      steps = n;
      buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(STEPS[i] === n)));
    }}, n === 1 ? "1 step" : `${n} steps`));
    return h("div.pg-chips", {role: "group", "aria-label": "how long a turn is"}, buttons);
  };

  // Fills ``box`` for a learner that plays a game; empties it for any other.
  const turns = (box, learner, reason) => {
    box.hidden = !learner || reason !== null;
    if (box.hidden) { box.replaceChildren(); return; }
    const place = h("div", {"aria-live": "polite"});
    const buttons = (learner.players || ["discriminator", "generator"]).map((player) => h("button.pg-chip", {type: "button", "data-turn": player,
      onclick: () => take(learner, player, place)}, `${pg.words(player)}'s turn`));
    box.replaceChildren(h("h3", {}, "Slow motion"), h("p.pg-fine", {}, "The race pauses; the player you press takes its turn on a copy of the two, so you can try both."), lengths(),
      h("div.pg-chips", {role: "group", "aria-label": "whose turn"}, buttons), place);
  };

  Object.assign(lab, {turns});
})();
