// Choosing whose code: a test picture, a class's mean, a draw, or a drawing or picture of one's own.
"use strict";
(() => {
  const pg = window.playground;
  const {latent, walks} = window;
  const {h} = pg;
  const KINDS = {test: "test picture", mean: "class mean", sample: "its own draw", yours: "yours"};
  const dice = () => Math.floor(Math.random() * 10000);

  // Draw or send: what is drawn is taken at "Use it".
  const own = (key) => {
    let url = null;
    const pad = window.lab.pad((amounts, empty) => {
      const side = Math.sqrt(amounts.length);
      url = empty ? null : pg.paint(h("canvas"), {data: amounts, height: side, width: side, channels: 1}).toDataURL("image/png");
      use.disabled = !url;
    });
    const done = (made) => { box.close(); walks.take(key, made); };
    const use = h("button.pg-go.lw-use", {type: "button", disabled: true, "data-use": true, onclick: () => done(url)}, "Use it");
    const chooser = h("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true, "aria-label": "a picture of yours", onchange: async () => {
      try { if (chooser.files[0]) done(await pg.shrink(chooser.files[0])); } catch { pg.toast("That file is not a picture this browser can read."); }
    }});
    const box = pg.dialog("Yours", h("p.pg-fine", {}, "Draw it, or send a picture; it is centred and sized as the model's data are."), pad.node,
      h("div.lw-acts", {}, use, h("button.pg-link", {type: "button", onclick: () => chooser.click()}, "Send a picture"), chooser));
  };

  // A figure with its picture, which ``show`` paints, and the choices below it.
  const picker = (key, words) => {
    const canvas = h("canvas");
    const kind = h("select.pg-select", {"aria-label": `${words}: whose code`, "data-kind": key, onchange: () => {
      if (kind.value === "yours") { own(key); draw(); return; }
      const [, which] = walks.whose(key).split("-");
      const label = /^(any|\d+)$/.test(which || "") && ["test", "mean"].includes(walks.whose(key).split("-")[0]) ? which : walks.usual(key).split("-")[1];
      latent.set({[key]: {test: `test-${label}-17`, mean: `mean-${label}`, sample: `sample-${dice()}`}[kind.value]});
    }});
    const label = h("select.pg-select", {"aria-label": `${words}: class`, "data-class": key, onchange: () => {
      const [what, , seed] = walks.whose(key).split("-");
      latent.set({[key]: what === "mean" ? `mean-${label.value}` : `test-${label.value}-${seed}`});
    }});
    const roll = pg.tool("dice", `Another one`, () => {
      const [what, which] = walks.whose(key).split("-");
      latent.set({[key]: what === "sample" ? `sample-${dice()}` : `test-${which}-${dice()}`});
    }, {"data-roll": key});
    const redraw = h("button.pg-link", {type: "button", onclick: () => own(key)}, "Draw anew");
    const node = h("div.lw-whose", {"data-whose": key}, h("figure", {}, canvas), h("div.lw-whose-say", {}, h("span.lw-whose-words", {}, words), h("div.lw-whose-row", {}, kind, label, roll, redraw)));
    const draw = () => {
      const [what, which] = walks.whose(key).split("-");
      const kinds = Object.entries(KINDS).filter(([name]) => walks.coded() ? true : name === "sample");
      kind.replaceChildren(...kinds.map(([value, text]) => h("option", {value}, text)));
      kind.value = what;
      label.replaceChildren(...["any", ...walks.labels().map((_, i) => String(i))].map((value) => h("option", {value}, value === "any" ? "any" : walks.labels()[Number(value)])));
      label.value = which;
      label.hidden = !["test", "mean"].includes(what);
      roll.hidden = !["test", "sample"].includes(what);
      redraw.hidden = what !== "yours";
    };
    latent.on("state", draw);
    const show = (picture) => { pg.paint(canvas, picture); canvas.style.opacity = 1; };
    return {node, show};
  };

  Object.assign(walks, {picker});
})();
