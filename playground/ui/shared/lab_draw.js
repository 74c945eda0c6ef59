// A pad to draw a density on, by mouse, finger, pen or keys. Strokes stay strokes, so that taking one back is exact.
"use strict";
(() => {
  const pg = window.playground;
  const lab = (window.lab = window.lab || {});
  const {h} = pg;
  const SIDE = 128; // of what is sent: uint8, row 0 at the top
  const FINE = 512; // of what is drawn on
  const LEVELS = 15; // few grey levels: a drawing then fits into an address
  const HINT = "Drawing pad. Draw with a mouse, finger or pen. With the keyboard: arrows move, Space puts the brush down or lifts it, Control Z takes a stroke back.";

  const segment = (context, stroke, from, to) => {
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    Object.assign(context, {lineCap: "round", lineJoin: "round", lineWidth: (from.width + to.width) / 2});
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y + (from === to ? 0.01 : 0)); // a dot is a line too
    context.stroke();
  };

  // How much ink lies in each of the 128 x 128 cells, 0 to 255.
  const amounts = (ink) => {
    const {data} = ink.getContext("2d").getImageData(0, 0, FINE, FINE);
    const step = FINE / SIDE;
    const out = new Uint8Array(SIDE * SIDE);
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        let sum = 0;
        for (let i = 0; i < step * step; i++) sum += data[4 * ((row * step + Math.floor(i / step)) * FINE + column * step + (i % step)) + 3];
        out[row * SIDE + column] = Math.round((sum / (step * step) / 255) * LEVELS) * (255 / LEVELS);
      }
    }
    return out;
  };

  // The visible canvas: axes, ink in the page's own colour, and the keyboard's cursor.
  const show = (canvas, ink, cursor) => {
    const ratio = window.devicePixelRatio || 1;
    const size = Math.round((canvas.clientWidth || 320) * ratio);
    if (canvas.width !== size) Object.assign(canvas, {width: size, height: size});
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, size, size);
    context.drawImage(ink, 0, 0, size, size);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = style.color;
    context.fillRect(0, 0, size, size);
    context.globalCompositeOperation = "destination-over";
    context.strokeStyle = style.borderTopColor;
    context.lineWidth = ratio;
    for (let i = 1; i < 8; i++) {
      const at = Math.round((i * size) / 8) + (ratio % 2) / 2;
      context.globalAlpha = i === 4 ? 1 : 0.4;
      context.strokeRect(at, -2, 0, size + 4);
      context.strokeRect(-2, at, size + 4, 0);
    }
    Object.assign(context, {globalAlpha: 1, globalCompositeOperation: "source-over"});
    if (cursor) {
      context.strokeStyle = style.outlineColor;
      context.lineWidth = 2 * ratio;
      context.beginPath();
      context.arc((cursor.x * size) / FINE, (cursor.y * size) / FINE, (Math.max(6, cursor.width / 2) * size) / FINE, 0, 7);
      context.stroke();
    }
  };

  // The strokes on their ink: what a program may ask of the pad.
  const book = () => {
    const ink = h("canvas", {width: FINE, height: FINE});
    const context = ink.getContext("2d", {willReadFrequently: true});
    let strokes = [];
    let undone = [];
    const redraw = () => {
      context.clearRect(0, 0, FINE, FINE);
      for (const stroke of strokes) {
        if (stroke.clear) context.clearRect(0, 0, FINE, FINE);
        else if (stroke.image) context.drawImage(stroke.image, 0, 0, FINE, FINE);
        else stroke.points.forEach((point, i) => segment(context, stroke, stroke.points[Math.max(0, i - 1)], point));
      }
    };
    const begin = (stroke) => { strokes.push(stroke); undone = []; };
    const extend = (point) => {
      const stroke = strokes[strokes.length - 1];
      stroke.points.push(point);
      segment(context, stroke, stroke.points[Math.max(0, stroke.points.length - 2)], point);
    };
    const move = (from, to) => { if (from.length) { to.push(from.pop()); redraw(); } };
    return {ink, begin, extend, redraw, undo: () => move(strokes, undone), redo: () => move(undone, strokes),
      can: () => ({undo: strokes.length > 0, redo: undone.length > 0}), empty: () => amounts(ink).every((v) => v === 0)};
  };

  // Pointer events to strokes; a pen's pressure makes the stroke wider.
  const follow = (canvas, pages, brush, changed, during) => {
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.3 + 1.4 * event.pressure : 1;
      return {x: ((event.clientX - box.left) / box.width) * FINE, y: ((event.clientY - box.top) / box.height) * FINE,
        width: (brush.width / 8) * FINE * pressed};
    };
    let drawing = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (drawing !== null || event.button > 0) return;
      event.preventDefault();
      canvas.focus({preventScroll: true});
      drawing = event.pointerId;
      canvas.setPointerCapture(drawing);
      pages.begin({erase: brush.erase || event.buttons === 32, points: []}); // 32: the other end of a pen
      pages.extend(place(event));
      show(canvas, pages.ink);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== drawing) return;
      const between = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      (between.length ? between : [event]).forEach((one) => pages.extend(place(one)));
      show(canvas, pages.ink);
      during();
    });
    const end = (event) => {
      if (event.pointerId !== drawing) return;
      drawing = null;
      changed();
    };
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, end);
  };

  const STEP = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

  const keyboard = (canvas, pages, brush, changed, act) => {
    const cursor = {x: FINE / 2, y: FINE / 2, width: 0};
    let down = false;
    const lift = () => { if (down) { down = false; changed(); } };
    const key = (event) => {
      const control = event.ctrlKey || event.metaKey;
      cursor.width = (brush.width / 8) * FINE;
      if (STEP[event.key]) {
        const far = event.shiftKey ? 32 : 8;
        cursor.x = Math.max(0, Math.min(FINE, cursor.x + far * STEP[event.key][0]));
        cursor.y = Math.max(0, Math.min(FINE, cursor.y + far * STEP[event.key][1]));
        if (down) pages.extend({...cursor});
      } else if (event.key === " " && down) lift();
      else if (event.key === " ") {
        down = true;
        pages.begin({erase: brush.erase, points: []});
        pages.extend({...cursor});
      } else if (control && event.key.toLowerCase() === "z") act(event.shiftKey ? "redo" : "undo");
      else if (control && event.key.toLowerCase() === "y") act("redo");
      else return;
      event.preventDefault();
      event.stopPropagation(); // the page has other plans for Space and the arrows
      show(canvas, pages.ink, cursor);
    };
    canvas.addEventListener("keydown", key);
    canvas.addEventListener("blur", () => { lift(); show(canvas, pages.ink); });
  };

  // ``changed(amounts, empty)`` is called after every stroke, and while one is drawn every ``live`` milliseconds, if
  // that is given. The node holds the pad and its tools.
  const pad = (changed, live = 0) => {
    const brush = {erase: false, width: 0.5}; // the width in units of the plane, which is 8 wide
    const pages = book();
    const canvas = h("canvas.lab-pad", {tabindex: 0, role: "application", "aria-label": HINT, "data-pad": true});
    const told = () => { tools(); changed(amounts(pages.ink), pages.empty()); };
    const act = (name) => { pages[name](); show(canvas, pages.ink); told(); };
    const clear = () => { pages.begin({clear: true, points: []}); pages.redraw(); show(canvas, pages.ink); told(); };

    const chip = (name, erase) => h("button.pg-chip", {type: "button", "data-tool": name, onclick: () => { brush.erase = erase; tools(); }}, pg.words(name));
    const chips = [chip("brush", false), chip("eraser", true)];
    const width = h("input.pg-range", {type: "range", min: 0.15, max: 1.6, step: 0.05, value: brush.width, "aria-label": "Width of the brush", "data-width": true,
      oninput: () => { brush.width = Number(width.value); tools(); }});
    const button = (name, run) => h("button.pg-link", {type: "button", "data-act": name, onclick: run}, pg.words(name));
    const buttons = {undo: button("undo", () => act("undo")), redo: button("redo", () => act("redo")), clear: button("clear", clear)};
    const tools = () => {
      chips.forEach((node, i) => node.setAttribute("aria-pressed", String(brush.erase === Boolean(i))));
      width.style.setProperty("--filled", `${(100 * (brush.width - 0.15)) / 1.45}%`);
      const can = pages.can();
      buttons.undo.setAttribute("aria-disabled", String(!can.undo));
      buttons.redo.setAttribute("aria-disabled", String(!can.redo));
      buttons.clear.setAttribute("aria-disabled", String(pages.empty()));
    };
    let heard = 0; // when somebody was last told
    const during = () => {
      if (!live || performance.now() - heard < live) return;
      heard = performance.now();
      changed(amounts(pages.ink), pages.empty());
    };
    follow(canvas, pages, brush, told, during);
    keyboard(canvas, pages, brush, told, act);
    new ResizeObserver(() => show(canvas, pages.ink)).observe(canvas);
    new MutationObserver(() => show(canvas, pages.ink)).observe(document.body, {attributes: true, attributeFilter: ["class"]});
    tools();

    // Puts down a drawing that came with the address; taking it back empties the pad.
    const load = (values) => {
      const image = h("canvas", {width: SIDE, height: SIDE});
      const pixels = image.getContext("2d").createImageData(SIDE, SIDE);
      values.forEach((value, i) => { pixels.data[4 * i + 3] = value; });
      image.getContext("2d").putImageData(pixels, 0, 0);
      pages.begin({image, points: []});
      pages.redraw();
      show(canvas, pages.ink);
      tools();
    };
    const node = h("div.lab-draw", {}, canvas, h("div.lab-draw-tools", {}, h("div.pg-chips", {role: "group", "aria-label": "tool"}, chips),
      h("label.lab-width", {}, h("span.pg-fine", {}, "Width"), width), h("div.lab-draw-acts", {}, Object.values(buttons))));
    return {node, load};
  };

  Object.assign(lab, {pad});
})();
