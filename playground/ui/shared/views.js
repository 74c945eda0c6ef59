// How each kind of view is drawn: a function from the view to a node, and an update that keeps the node while it streams.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  const GAP = 4;

  // ---- Images: a sheet of buttons, one per picture
  // The number of columns that draws n pictures largest; a sheet with a hole in its last row counts less.
  const columnsFor = (n, across, down, width) => {
    const score = (columns) => {
      const rows = Math.ceil(n / columns);
      return pg.scale(width, Math.min(across / columns - GAP, down / rows - GAP, 280)) * (columns * rows === n ? 1 : 0.75);
    };
    return Array.from({length: Math.min(n, 16)}, (_, i) => i + 1).reduce((best, c) => (score(c) >= score(best) ? c : best), 1);
  };

  // Columns, and how wide a picture is drawn, so that the sheet fits the stage.
  const plan = (node, {n, width, captions, asked, group, high}) => {
    const room = node.clientWidth;
    const down = Math.max(260, Math.min(560, window.innerHeight - high));
    const columns = Math.max(1, Math.min(asked || columnsFor(n, room, down, width), n));
    const label = group.length && room > 560 ? Math.min(132, 22 + 7 * Math.max(...group.map((g) => g.length))) : 0;
    const rows = Math.ceil(n / columns);
    const under = captions.length ? 20 : 0;
    const across = (room - label - GAP * (columns - 1 + (label ? 1 : 0))) / columns;
    const each = group.length ? across : (down - (GAP + under) * (rows - 1)) / rows;
    return {columns, size: pg.scale(width, Math.max(16, Math.min(across, each, 280))), label};
  };

  const tile = (index) =>
    h("button.pg-tile", {type: "button", "data-index": index, "aria-label": `picture ${index + 1}, look closer`,
      onclick: (event) => pg.look(event.currentTarget)}, h("canvas"), h("span.pg-caption"));

  // ``at(i)`` gives picture i; the nodes stay while the pictures change, so that streaming costs only the painting.
  const drawSheet = (node, {n, width, at, captions = [], columns: asked = 0, group = [], high = 300}) => {
    const {columns, size, label} = plan(node, {n, width, captions, asked, group, high});
    const shape = `${n}/${columns}/${size}/${label}/${captions.length}/${group.join("|")}`;
    let sheet = node.querySelector(".pg-sheet");
    if (!sheet || sheet.dataset.shape !== shape) {
      const fresh = h("div.pg-sheet", {"data-shape": shape, "data-n": n});
      fresh.style.setProperty("--tile", `${size}px`);
      fresh.classList.toggle("pg-smooth", !pg.whole(width, size));
      fresh.style.gridTemplateColumns = `${label ? `${label}px ` : ""}repeat(${columns}, auto)`;
      for (let i = 0; i < n; i++) {
        if (group.length && i % columns === 0) {
          fresh.append(h(label ? "div.pg-group" : "div.pg-group.pg-above", {}, group[i / columns] || ""));
        }
        fresh.append(tile(i));
      }
      if (sheet) sheet.replaceWith(fresh);
      else node.replaceChildren(fresh);
      sheet = fresh;
    }
    sheet.querySelectorAll(".pg-tile").forEach((button, i) => {
      button.picture = at(i);
      pg.paint(button.firstChild, button.picture);
      button.lastChild.textContent = captions[i] || "";
    });
  };

  // The scale of pictures that show numbers.
  const scaleOf = ({ramp, ends}) => {
    const colours = pg.bytes(ramp.b64);
    const stops = Array.from({length: ramp.shape[0]}, (_, i) => `rgb(${colours.slice(3 * i, 3 * i + 3).join(",")})`);
    const bar = h("i");
    bar.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    return h("div.pg-scale", {}, h("span", {}, ends[0]), bar, h("span", {}, ends[1]));
  };

  const drawImages = (node, view) => {
    const pixels = pg.unpack(view.pixels);
    const {captions, columns, group} = view;
    drawSheet(node, {n: pixels.leading[0], width: pixels.width, at: pixels.at, captions, columns, group});
    node.querySelector(".pg-scale")?.remove();
    if (view.ramp) node.append(scaleOf(view));
  };

  // ---- Table, Text, Refusal
  const cell = (value) => h(typeof value === "number" ? "td.pg-number" : "td", {}, pg.number(value));
  const drawTable = (node, view) => {
    const pictures = view.pictures && pg.unpack(view.pictures);
    const shown = (i) => {
      if (!pictures) return null;
      const canvas = pg.paint(h("canvas"), pictures.at(i));
      canvas.classList.remove("pg-grey"); // never as ink on paper: its row may call it black
      return h("td.pg-thumb", {}, canvas);
    };
    const head = h("tr", {}, pictures ? h("th") : null, view.columns.map((name) => h("th", {scope: "col"}, name)));
    const rows = view.rows.map((row, i) => h("tr", {}, shown(i), row.map(cell)));
    replace(node, h("div.pg-scroll", {}, h("table.pg-table", {}, h("thead", {}, head), h("tbody", {}, rows))));
  };
  const drawText = (node, view) => replace(node, h("p.pg-text", {}, view.text));
  const drawRefusal = (node, view) =>
    replace(node, h("div.pg-refusal", {role: "alert", "data-refusal": true}, h("span.pg-refusal-mark", {}, "–"), h("p", {}, view.text)));
  const replace = (node, made) => node.replaceChildren(made);

  const DRAW = {Images: drawImages, Film: (node, view) => pg.drawFilm(node, view), Drawings: (node, view) => pg.drawStrokes(node, view), Curve: (node, view) => pg.drawCurve(node, view), Table: drawTable, Text: drawText, Refusal: drawRefusal};

  // One view in its frame: title, drawing, caption. Views that have not changed since are left alone.
  const draw = (stage, view, force) => {
    let frame = stage.querySelector(`[data-view="${CSS.escape(view.key)}"]`);
    if (!frame || frame.dataset.kind !== view.view) {
      const fresh = h("figure.pg-view", {"data-view": view.key, "data-kind": view.view},
        h("figcaption.pg-view-title"), h("div.pg-view-body"), h("p.pg-view-caption"));
      if (frame) frame.replaceWith(fresh);
      else stage.append(fresh);
      frame = fresh;
    }
    const version = `${view.run}.${view.at}`;
    if (!force && frame.dataset.version === version) return;
    frame.dataset.version = version;
    frame.querySelector(".pg-view-title").textContent = view.title || "";
    frame.querySelector(".pg-view-caption").textContent = view.caption || "";
    DRAW[view.view](frame.querySelector(".pg-view-body"), view);
  };

  Object.assign(pg, {drawView: draw, drawSheet});
})();
