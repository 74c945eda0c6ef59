// The whole race as one picture: the truth and every panel, each with its number and that number's kind.
"use strict";
(() => {
  const lab = window.lab;
  const SIDE = 300;
  const GAP = 20;
  const HEAD = 64; // room for the heading
  const FOOT = 48; // room for the words under a panel

  const words = (name) => {
    const {numbers = {}, latest} = lab.panels[name] || {};
    const kind = numbers.kind || (latest && latest.kind);
    if (!kind || kind === "none") return Number.isFinite(numbers.sliced) ? `no density · sliced W ${numbers.sliced.toFixed(3)}` : "no density";
    if (!Number.isFinite(numbers.kl)) return Number.isFinite(numbers.nll) ? `NLL ${numbers.nll.toFixed(2)} nats, ${kind}` : kind;
    return `KL ${kind === "lower bound" ? "≤ " : kind === "estimate" ? "≈ " : ""}${numbers.kl.toFixed(3).replace("-", "−")} nats, ${kind === "lower bound" ? "by a bound" : kind}`;
  };

  // What each plane shows, the truth first.
  const planes = () => {
    const truth = {title: lab.target.title, line: Number.isFinite(lab.target.entropy) ? `the truth · entropy ${lab.target.entropy.toFixed(3)} nats` : "the data; their density is unknown",
      what: {logp: lab.target.logp, points: lab.target.points}};
    const learners = lab.facts.learners.filter((l) => lab.panels[l.name] && lab.panels[l.name].latest);
    const view = lab.state.view;
    return [truth, ...learners.map((l) => {
      const {logp, points} = lab.panels[l.name].latest;
      const against = view === "difference" && lab.target.logp ? lab.target.logp : null;
      return {title: l.title, line: words(l.name), what: {logp: view === "samples" ? null : logp, points: against ? null : points, difference: against, outline: logp && view !== "samples" ? null : lab.target.logp}};
    })];
  };

  const poster = () => {
    const all = planes();
    const columns = Math.min(all.length, all.length > 8 ? 5 : 4);
    const rows = Math.ceil(all.length / columns);
    const [width, height] = [columns * (SIDE + GAP) + GAP, HEAD + rows * (SIDE + FOOT + GAP)];
    const made = document.createElement("canvas");
    Object.assign(made, {width: 2 * width, height: 2 * height}); // twice as fine as a screen
    const context = made.getContext("2d");
    const style = getComputedStyle(document.body);
    const ink = (name) => style.getPropertyValue(`--pg-${name}`).trim();
    const font = style.getPropertyValue("--pg-font");
    context.scale(2, 2);
    context.fillStyle = ink("ground");
    context.fillRect(0, 0, width, height);
    const write = (text, x, y, size, weight, colour) => {
      Object.assign(context, {font: `${weight} ${size}px ${font}`, fillStyle: ink(colour), textBaseline: "alphabetic"});
      context.fillText(text, x, y, columns * SIDE);
    };
    const {budget, data, seed} = lab.state;
    write(`${lab.target.title}: ${all.length - 1} learners, ${data.toLocaleString("en")} points, ${budget.amount} ${budget.kind} each, seed ${seed}`, GAP, 40, 17, 600, "ink");
    // The painter looks at how large a canvas is on the page, so it has to be on it.
    const canvas = document.createElement("canvas");
    canvas.style.cssText = `position:fixed;left:-9999px;width:${SIDE}px;height:${SIDE}px`;
    document.body.append(canvas);
    all.forEach(({title, line, what}, i) => {
      const [x, y] = [GAP + (i % columns) * (SIDE + GAP), HEAD + Math.floor(i / columns) * (SIDE + FOOT + GAP)];
      lab.paint(canvas, what);
      context.drawImage(canvas, x, y, SIDE, SIDE);
      write(title, x, y + SIDE + 20, 14, 600, "ink");
      write(line, x, y + SIDE + 38, 12.5, 400, "soft");
    });
    canvas.remove();
    return made;
  };

  Object.assign(lab, {poster});
})();
