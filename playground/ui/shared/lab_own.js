// The visitor's own distribution: four ways to make one. Each is a node, and sends what the server is to make of it.
"use strict";
(() => {
  const pg = window.playground;
  const lab = (window.lab = window.lab || {});
  const {h} = pg;
  const MB = 1_000_000;
  const MOST = {picture: 20 * MB, csv: 200 * MB}; // of a file, before it is read
  const TRAVELS = 5 * MB; // of a table; of a larger one evenly spaced lines
  const SIDE = 512; // pixels of the longer side of a picture that travels
  const PAUSE = 450; // milliseconds without typing after which a formula is tried
  const FORMULAS = [["Ring", "exp(-(x**2+y**2-4)**2)"], ["Egg box", "(1+sin(3*x)*sin(3*y))*exp(-(x**2+y**2)/8)"],
    ["Wave", "exp(-8*(y-sin(2*x))**2)"], ["Heart", "exp(-((x**2+y**2-4)**3-6*x**2*y**3)**2/400)"], ["Diamond", "abs(x)+abs(y)<2.5"], ["Target", "exp(-(x**2+y**2)/6)*cos(2*sqrt(x**2+y**2))**4"]];

  const base64 = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  };

  // ---- a place to drop a file on, or to choose one
  const dropzone = ({invitation, accept, label, take}) => {
    const chooser = h("input", {type: "file", accept, hidden: true, "aria-label": label, "data-file": true,
      onchange: () => { if (chooser.files[0]) take(chooser.files[0]); chooser.value = ""; }});
    const words = h("span", {}, invitation);
    const drop = h("button.pg-drop.lab-drop", {type: "button", onclick: () => chooser.click()}, words);
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
      });
    }
    return {node: h("div", {}, drop, chooser), say: (text) => { words.textContent = text; }};
  };

  const tooBig = (file, most, kind) => (file.size <= most ? null
    : `That ${kind} has ${(file.size / MB).toFixed(0)} MB; at most ${most / MB} MB are taken. Make it smaller and try again.`);

  // ---- Draw
  const draw = (send) => {
    const offer = lab.pump(async ([amounts, empty]) => {
      if (!empty) await send({drawn: {b64: base64(amounts)}});
    });
    const made = lab.pad((amounts, empty) => offer([amounts, empty]));
    return {node: made.node, restore: (record) => record.drawn && made.load(pg.bytes(record.drawn.b64))};
  };

  // ---- Picture: made small and, if asked, inverted here, so that little travels
  const shrunk = async (file, invert) => {
    const bitmap = await createImageBitmap(file);
    const factor = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", {width: Math.max(1, Math.round(bitmap.width * factor)), height: Math.max(1, Math.round(bitmap.height * factor))});
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff"; // what is transparent is paper, as on the server
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    if (invert) {
      context.globalCompositeOperation = "difference";
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas.toDataURL("image/png").split(",")[1];
  };

  const picture = (send, refuse) => {
    let file = null;
    let invert = true;
    const take = async (chosen) => {
      const problem = tooBig(chosen, MOST.picture, "picture");
      if (problem) { refuse(problem); return; }
      file = chosen;
      zone.say(`${file.name}: choose another`);
      let b64;
      try { b64 = await shrunk(file, invert); } catch { // the server says what is wrong with it
        b64 = base64(new Uint8Array(await file.slice(0, MB).arrayBuffer()));
      }
      await send({picture: b64});
    };
    const zone = dropzone({invitation: "Drop a picture here, or choose one", accept: "image/*", label: "picture", take});
    const choice = (words, value) => h("button.pg-chip", {type: "button", "data-invert": String(value), onclick: () => { invert = value; marks(); if (file) take(file); }}, words);
    const choices = [choice("Dark is dense", true), choice("Light is dense", false)];
    const marks = () => choices.forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.invert === String(invert))));
    marks();
    return {node: h("div.lab-own-stack", {}, zone.node, h("div.pg-chips", {role: "group", "aria-label": "what is dense"}, choices),
      h("p.pg-fine", {}, "Brightness becomes density, in the square from −4 to 4.")), restore: () => undefined};
  };

  // ---- CSV: first its columns, then two of them
  // The first line, which may be the header, and every so-manieth of the others; read a piece at a time.
  const thinned = async (file, step) => {
    const reader = file.stream().getReader();
    const kept = [];
    let [size, count, rest] = [0, 0, new Uint8Array(0)];
    for (;;) {
      const {done, value} = await reader.read();
      const piece = new Uint8Array(rest.length + (value ? value.length : 0));
      piece.set(rest);
      if (value) piece.set(value, rest.length);
      let from = 0;
      for (let to = piece.indexOf(10); to >= 0; to = piece.indexOf(10, from)) {
        if (count++ % step === 0 && size < TRAVELS) { kept.push(piece.slice(from, to + 1)); size += to + 1 - from; }
        from = to + 1;
      }
      rest = piece.subarray(from);
      if (rest.length > TRAVELS) rest = rest.subarray(0, TRAVELS); // no lines at all: the server says so
      if (done) break;
    }
    const bytes = new Uint8Array(await new Blob(kept.length ? kept : [rest]).arrayBuffer());
    return {bytes, lines: count};
  };

  const readTable = async (file) => {
    if (file.size <= TRAVELS) return {b64: base64(new Uint8Array(await file.arrayBuffer())), note: ""};
    const step = Math.ceil((1.1 * file.size) / TRAVELS);
    const {bytes, lines} = await thinned(file, step);
    return {b64: base64(bytes), note: `It is a large file: of its ${lines.toLocaleString("en")} lines one in ${step} was sent.`};
  };

  const csv = (send, refuse) => {
    const columns = h("div.lab-columns", {hidden: true});
    const take = async (file) => {
      columns.hidden = true;
      const problem = tooBig(file, MOST.csv, "table");
      if (problem) { refuse(problem); return; }
      zone.say(`${file.name}: choose another`);
      const table = await readTable(file);
      const answered = await send({csv: table.b64});
      if (answered && answered.ok && answered.columns) offer(table, answered);
    };
    const offer = (table, answered) => {
      const names = answered.columns;
      const select = (which, chosen) => h("select.pg-select", {"aria-label": `${which} column`, "data-column": which, onchange: use},
        names.map((name, i) => h("option", {value: String(i), selected: i === chosen}, String(name))));
      const use = () => send({csv: table.b64, columns: [across, up].map((node) => names[Number(node.value)])}, table.note);
      const across = select("x", 0);
      const up = select("y", Math.min(1, names.length - 1));
      columns.replaceChildren(h("label", {}, h("span.pg-fine", {}, "Across"), across), h("label", {}, h("span.pg-fine", {}, "Up"), up));
      columns.hidden = false;
      use();
    };
    const zone = dropzone({invitation: "Drop a CSV file here, or choose one", accept: ".csv,.tsv,.txt,text/csv", label: "CSV file", take});
    return {node: h("div.lab-own-stack", {}, zone.node, columns, h("p.pg-fine", {}, "Any two columns of numbers. Nobody knows their true density: only numbers on held-out rows are given.")),
      restore: () => undefined};
  };

  // ---- Formula
  const formula = (send) => {
    let waiting = 0;
    const box = h("input.lab-formula", {type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", maxlength: 400, "aria-label": "density, a formula in x and y", placeholder: "exp(-x**2 - y**2)",
      "data-formula": true, oninput: () => { clearTimeout(waiting); waiting = setTimeout(go, PAUSE); },
      onkeydown: (event) => { if (event.key === "Enter") { clearTimeout(waiting); go(); } }});
    const tried = lab.pump(async (text) => { await send({formula: text}); });
    const go = () => { if (box.value.trim()) tried(box.value.trim()); };
    const chips = FORMULAS.map(([name, text]) => h("button.pg-chip", {type: "button", title: text, "data-example": name, onclick: () => { box.value = text; go(); }}, name));
    return {node: h("div.lab-own-stack", {}, h("label.lab-formula-row", {}, h("span", {"aria-hidden": "true"}, "p(x, y) ∝"), box), h("div.pg-chips", {role: "group", "aria-label": "examples"}, chips),
      h("p.pg-fine", {}, "Numbers, x, y, + − * / **, abs exp log sqrt sin cos tan tanh min max where, pi, e, comparisons. It need not integrate to one.")),
      restore: (record) => { if (record.formula) box.value = typeof record.formula === "string" ? record.formula : record.formula.text || ""; }};
  };

  const OWN = [{name: "draw", title: "Draw", make: draw, record: "drawn"}, {name: "picture", title: "Picture", make: picture}, {name: "csv", title: "CSV", make: csv},
    {name: "formula", title: "Formula", make: formula, record: "formula"}];

  Object.assign(lab, {OWN, base64});
})();
