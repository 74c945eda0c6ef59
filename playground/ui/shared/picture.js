// The picture knob: choose a file, drop one, paste one. It is made small here, so that only small pictures travel.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  const MOST = 1024; // pixels of the longer side

  const shrink = async (file) => {
    const bitmap = await createImageBitmap(file);
    const factor = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", {width: Math.max(1, Math.round(bitmap.width * factor)), height: Math.max(1, Math.round(bitmap.height * factor))});
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
  };

  const knob = (spec, owner = pg) => {
    const take = async (file) => {
      if (!file) return;
      try { owner.turn(spec.name, await shrink(file)); } catch { pg.toast("That file is not a picture this browser can read."); }
    };
    const chooser = h("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true, "aria-label": pg.words(spec.name),
      onchange: () => { take(chooser.files[0]); chooser.value = ""; }});
    const shown = h("img", {alt: "your picture"});
    const invitation = h("span", {}, "Drop, paste or choose a picture");
    const drop = h("button.pg-drop", {type: "button", onclick: () => chooser.click()}, shown, invitation);
    const clear = pg.tool("close", "Remove the picture", () => owner.turn(spec.name, undefined));
    const node = h("div.pg-picture", {}, drop, clear, chooser);
    for (const name of ["dragover", "dragleave", "drop"]) {
      node.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop") take(event.dataTransfer.files[0]);
      });
    }
    const paste = (event) => {
      if (!node.isConnected) document.removeEventListener("paste", paste);
      else take([...event.clipboardData.files].find((file) => file.type.startsWith("image/")));
    };
    document.addEventListener("paste", paste);
    const show = (value) => {
      shown.hidden = clear.hidden = !value;
      invitation.hidden = Boolean(value);
      if (value) shown.src = value;
    };
    return {node, show};
  };

  // The drawing knob: the laboratory's pad, whose ink travels as a picture, bright on black. The pad is made anew with
  // the knobs of every activity; what was drawn is kept beside it.
  let kept = {url: undefined, amounts: null};
  const drawn = (amounts) => {
    const side = Math.sqrt(amounts.length);
    return pg.paint(h("canvas"), {data: amounts, height: side, width: side, channels: 1}).toDataURL("image/png");
  };
  const drawing = (spec, owner = pg) => {
    let here = undefined; // what the pad shows
    const made = window.lab.pad((amounts, empty) => {
      here = empty ? undefined : drawn(amounts);
      kept = {url: here, amounts};
      owner.turn(spec.name, here);
    });
    const show = (value) => {
      if ((value || undefined) === here) return;
      here = value || undefined;
      if (here && here === kept.url) made.load(kept.amounts);
      else if (!here) made.node.querySelector("[data-act=clear]").click();
    };
    return {node: made.node, show};
  };

  Object.assign(pg, {shrink, pictureKnob: knob, drawingKnob: drawing});
})();
