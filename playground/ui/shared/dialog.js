// What lies over the page: any text, or one picture large with its nearest training pictures. Esc closes: it is a <dialog>.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;

  const open = (title, ...body) => {
    const box = h("dialog.pg-dialog", {"aria-label": title, onclose: () => box.remove(),
      onclick: (event) => event.target === box && box.close()},
    h("header", {}, h("h2", {}, title), pg.tool("close", "Close", () => box.close(), {"data-close": true})), h("div.pg-dialog-body", {}, ...body));
    document.body.append(box);
    box.showModal();
    return box;
  };

  // ---- one picture
  const png = (picture) => pg.paint(h("canvas"), picture).toDataURL("image/png");

  const nearest = async (tile, place) => {
    if (!pg.shelf()) return; // only Play can ask for them
    const doing = pg.shelf().activities.find((a) => a.name === "neighbours");
    const spec = doing && ((pg.model().knobs.neighbours || []).find((s) => s.knob === "Picture"));
    if (!spec) return;
    place.replaceChildren(h("p.pg-fine", {}, "Looking through the training pictures…"));
    const request = {model: pg.state.model, activity: "neighbours", knobs: {[spec.name]: png(tile.picture)}, seed: pg.state.seed};
    const answered = await pg.ask("views", {request});
    if (place.tile !== tile) return; // somebody stepped on meanwhile
    place.replaceChildren();
    if (!answered.ok) place.append(h("p.pg-fine", {}, answered.error));
    else answered.views.filter((v) => !["progress", "picture"].includes(v.key)).forEach((view, at) => pg.drawView(place, {...view, at}));
    place.dataset.loaded = "yes";
  };

  const look = (tile) => {
    const tiles = [...tile.closest(".pg-sheet").querySelectorAll(".pg-tile")];
    const canvas = h("canvas.pg-large");
    const note = h("p.pg-fine");
    const place = h("div.pg-near", {"data-neighbours": true});
    let now = tiles.indexOf(tile);
    const whose = tile.closest("[data-picture-of]"); // where pictures of several models stand side by side
    const name = () => `${whose ? whose.dataset.pictureOf : `${pg.state.model}-${pg.state.seed}`}-${now + 1}.png`;
    const show = (index) => {
      now = (index + tiles.length) % tiles.length;
      const shown = tiles[now];
      pg.paint(canvas, shown.picture);
      canvas.style.width = `${pg.scale(shown.picture.width, Math.min(336, window.innerWidth - 80))}px`;
      note.textContent = [`${now + 1} of ${tiles.length}`, shown.lastChild.textContent].filter(Boolean).join(" · ");
      place.tile = shown;
      delete place.dataset.loaded;
      nearest(shown, place);
    };
    const bar = h("div.pg-look-bar", {}, pg.tool("left", "The picture before", () => show(now - 1)), note,
      pg.tool("right", "The next picture", () => show(now + 1)),
      pg.tool("save", "Download this picture", () => pg.save(name(), png(tiles[now].picture)), {"data-save": true}));
    const box = open("One sample", h("div.pg-look", {}, canvas, bar), place);
    box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") show(now - 1);
      if (event.key === "ArrowRight") show(now + 1);
    });
    show(now);
  };

  Object.assign(pg, {dialog: open, look});
})();
