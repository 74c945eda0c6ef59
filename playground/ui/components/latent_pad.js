// What the finger does, the picture does: between the lattice's pictures it is blended here, within a frame; when the
// finger rests, the exact one takes its place. Each drag leaves a trail, which can be played again and saved.
const pg = window.playground;
const {latent} = window;
const {h} = pg;
const part = (name) => element.querySelector(`[data-${name}]`);
const [pad, picture] = [part("plane"), part("picture")];
const LONGEST = 240; // places on a trail
const FRAMES = 120; // pictures in a film of it
const STEP = 1 / 60; // of the pad, for an arrow key; with Shift five times that

// ---- between places, codes and pixels of the pad
const span = () => { const [left, right, bottom, top] = latent.result.lattice.extent; return {left, top, wide: right - left, high: top - bottom}; };
const share = ({x, y}) => { const {left, top, wide, high} = span(); return [(x - left) / wide, (top - y) / high]; };

// The picture at a place, blended from the four around it.
const blended = (place) => {
  const {pictures, side} = latent.result.lattice;
  const [u, v] = share(place).map((s) => Math.min(1, Math.max(0, s)) * (side - 1));
  const [column, row] = [Math.min(side - 2, Math.floor(u)), Math.min(side - 2, Math.floor(v))];
  const [right, down] = [u - column, v - row];
  const parts = [[row, column, (1 - down) * (1 - right)], [row, column + 1, (1 - down) * right], [row + 1, column, down * (1 - right)], [row + 1, column + 1, down * right]]
    .map(([r, c, weight]) => [pictures.at(r, c).data, weight]);
  const [[a, p], [b, q], [c, r], [d, s]] = parts;
  const data = new Uint8ClampedArray(a.length);
  for (let i = 0; i < data.length; i++) data[i] = p * a[i] + q * b[i] + r * c[i] + s * d[i];
  return {data, height: pictures.height, width: pictures.width, channels: pictures.channels};
};

// ---- the ground: painted once for each lattice, look and size
const ground = document.createElement("canvas");
const prepare = () => {
  const {lattice} = latent.result;
  const size = pad.width;
  Object.assign(ground, {width: size, height: size});
  const context = ground.getContext("2d");
  const night = document.body.classList.contains("dark");
  context.clearRect(0, 0, size, size);
  if (latent.state.show === "pictures" || !lattice.points) {
    const every = Math.ceil(lattice.side / 20); // fewer, larger pictures
    const n = Math.ceil(lattice.side / every);
    const tile = document.createElement("canvas");
    context.imageSmoothingEnabled = lattice.pictures.height > size / n;
    for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) {
      pg.paint(tile, lattice.pictures.at(r * every, c * every));
      context.drawImage(tile, Math.round((c * size) / n), Math.round((r * size) / n), Math.ceil(size / n), Math.ceil(size / n));
    }
    if (lattice.pictures.channels === 1 && document.body.classList.contains("pg-paper")) { // ink on paper, as all grey pictures
      Object.assign(context, {globalCompositeOperation: "difference", fillStyle: "#fff"});
      context.fillRect(0, 0, size, size);
      context.globalCompositeOperation = "source-over";
    }
    return;
  }
  const {points, classes, labels} = lattice;
  const written = labels.every((name) => name.length === 1);
  const scale = size / Math.max(1, pad.clientWidth);
  context.font = `600 ${11 * scale}px ${getComputedStyle(document.body).getPropertyValue("--pg-font") || "sans-serif"}`;
  Object.assign(context, {textAlign: "center", textBaseline: "middle", globalAlpha: night ? 0.85 : 0.75});
  for (let i = 0; i < classes.length; i++) {
    const [u, v] = share({x: points[2 * i], y: points[2 * i + 1]});
    context.fillStyle = latent.hue(classes[i]);
    if (written) context.fillText(labels[classes[i]], u * size, v * size);
    else { context.beginPath(); context.arc(u * size, v * size, 2.6 * scale, 0, 7); context.fill(); }
  }
  context.globalAlpha = 1;
};

// ---- what is drawn at each frame
let trail = []; // places of the last drag
let waiting = 0;
const ink = (name) => getComputedStyle(document.body).getPropertyValue(name);
const draw = () => {
  waiting = 0;
  const {lattice, exact, stale} = latent.result;
  if (!lattice || stale) return;
  const place = latent.place();
  const size = pad.width;
  const context = pad.getContext("2d");
  context.clearRect(0, 0, size, size);
  context.drawImage(ground, 0, 0);
  const scale = size / Math.max(1, pad.clientWidth);
  const at = (where) => share(where).map((s) => s * size);
  context.strokeStyle = context.fillStyle = ink("--pg-accent");
  if (trail.length > 1) {
    Object.assign(context, {lineWidth: 2 * scale, lineJoin: "round", globalAlpha: 0.7});
    context.beginPath();
    trail.forEach((one) => context.lineTo(...at(one)));
    context.stroke();
    context.globalAlpha = 1;
  }
  for (let i = 0; lattice.anchors && i < lattice.anchors.length; i += 2) {
    const [u, v] = at({x: lattice.anchors[i], y: lattice.anchors[i + 1]});
    context.fillRect(u - 4 * scale, v - 4 * scale, 8 * scale, 8 * scale);
  }
  const [u, v] = at(place);
  for (const [radius, width, paint] of [[11, 5, ink("--pg-ground")], [11, 2.5, ink("--pg-accent")]]) {
    Object.assign(context, {lineWidth: width * scale, strokeStyle: paint});
    context.beginPath();
    context.arc(u, v, radius * scale, 0, 7);
    context.stroke();
  }
  const {own} = latent.result;
  for (const ring of (own && own.rings) || []) { // the posterior's cloud
    context.beginPath();
    ring.forEach((one) => context.lineTo(...at(one)));
    context.closePath();
    Object.assign(context, {globalAlpha: 0.18, fillStyle: ink("--pg-accent")});
    context.fill();
    context.globalAlpha = 1;
    for (const [width, paint] of [[3.5, ink("--pg-ground")], [1.5, ink("--pg-accent")]]) {
      Object.assign(context, {lineWidth: width * scale, strokeStyle: paint});
      context.stroke();
    }
  }
  if (own) {
    const [right, low] = at({x: Math.min(lattice.extent[1], Math.max(lattice.extent[0], own.x)), y: Math.min(lattice.extent[3], Math.max(lattice.extent[2], own.y))});
    const reach = (own.rings && own.rings.length ? 4 : 9) * scale; // a cloud may be small: it is not to be covered
    context.fillStyle = ink("--pg-accent");
    context.beginPath();
    for (const [du, dv] of [[0, -1], [1, 0], [0, 1], [-1, 0]]) context.lineTo(right + du * reach, low + dv * reach);
    context.closePath();
    Object.assign(context, {lineWidth: 2 * scale, strokeStyle: ink("--pg-ground")});
    context.fill();
    context.stroke();
  }
  const sure = exact && exact.x === place.x && exact.y === place.y;
  pg.paint(picture, sure ? exact.picture : blended(place));
  picture.dataset.sure = String(Boolean(sure));
  part("place").textContent = `${place.x.toFixed(2).replace("-", "−")}, ${place.y.toFixed(2).replace("-", "−")}`;
  part("exact").textContent = sure ? `as the model draws it, ${pg.seconds(exact.seconds)}` : "between neighbours";
};
const soon = () => { waiting = waiting || requestAnimationFrame(draw); };
const anew = () => {
  const {lattice} = latent.result;
  if (!lattice || latent.result.stale || !pad.clientWidth) return;
  const size = Math.round(pad.clientWidth * (window.devicePixelRatio || 1));
  if (pad.width !== size) Object.assign(pad, {width: size, height: size});
  const room = Math.min(picture.parentNode.clientWidth || 280, 336);
  picture.style.width = `${pg.scale(lattice.pictures.width, room)}px`;
  part("axis-x").textContent = lattice.axes[0];
  part("axis-y").textContent = lattice.axes[1];
  part("note").textContent = lattice.caption;
  const shown = lattice.points && latent.state.show === "codes";
  part("legend").replaceChildren(...(shown ? lattice.labels.map((name, i) => h("li", {}, h("i", {style: `background:${latent.hue(i)}`}), name)) : []));
  prepare();
  soon();
};

// ---- the finger
let dragging = false;
const follow = (event) => {
  const box = pad.getBoundingClientRect();
  const {left, top, wide, high} = span();
  latent.move(left + ((event.clientX - box.left) / box.width) * wide, top - ((event.clientY - box.top) / box.height) * high);
};
const leave = () => {
  const place = latent.place();
  trail.push(place);
  if (trail.length > LONGEST) trail = trail.filter((_, i) => i % 2 === 0);
};
pad.addEventListener("pointerdown", (event) => {
  if (!latent.result.lattice || latent.result.stale || event.button) return;
  pad.setPointerCapture(event.pointerId);
  pad.focus({preventScroll: true});
  playing.stop();
  [dragging, trail] = [true, []];
  follow(event);
  leave();
});
pad.addEventListener("pointermove", (event) => {
  if (!dragging) return;
  for (const one of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) { follow(one); leave(); }
});
for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, () => { dragging = false; tools(); });
pad.addEventListener("keydown", (event) => {
  const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
  if (!way || !latent.result.lattice || latent.result.stale) return;
  event.preventDefault();
  const {x, y} = latent.place();
  const {wide, high} = span();
  const far = STEP * (event.shiftKey ? 5 : 1);
  if (!trail.length) leave();
  latent.move(x + way[0] * far * wide, y + way[1] * far * high);
  leave();
  tools();
});

// ---- the trail: played again, saved, forgotten
const playing = {
  timer: 0,
  start: () => {
    const places = [...trail];
    let i = 0;
    clearInterval(playing.timer);
    playing.timer = setInterval(() => {
      if (i >= places.length) { playing.stop(); return; }
      latent.move(places[i].x, places[i].y);
      i++;
    }, 33);
  },
  stop: () => clearInterval(playing.timer),
};
// The places of a film: as many of the trail's as a GIF can bear; for an MP4, which shows 24 a second, some in between.
const along = (format) => {
  const many = format === "gif" ? Math.min(FRAMES, trail.length) : Math.min(LONGEST, Math.max(48, 3 * trail.length));
  return Array.from({length: many}, (_, i) => {
    const at = (i * (trail.length - 1)) / Math.max(1, many - 1);
    const [a, b] = [trail[Math.floor(at)], trail[Math.ceil(at)]];
    return {x: a.x + (at % 1) * (b.x - a.x), y: a.y + (at % 1) * (b.y - a.y)};
  });
};
const film = async (format) => {
  const frames = along(format).map(blended);
  const {height, width, channels} = frames[0];
  const data = new Uint8Array(frames.length * height * width * channels);
  frames.forEach((frame, i) => data.set(frame.data, i * frame.data.length));
  let raw = "";
  for (let i = 0; i < data.length; i += 0x8000) raw += String.fromCharCode(...data.subarray(i, i + 0x8000));
  const answered = await pg.ask("latent_film", {request: latent.request("plane", {}), format, shape: [frames.length, height, width, channels], b64: btoa(raw)});
  if (answered.ok) pg.save(answered.name, `data:${format === "gif" ? "image/gif" : "video/mp4"};base64,${answered.b64}`);
  else pg.toast(answered.error);
};
const show = h("div.pg-chips", {role: "group", "aria-label": "what the pad shows"});
const again = pg.tool("play", "Play the trail again", () => playing.start(), {"data-replay": true});
const saves = ["gif", "mp4"].map((format) => h("button.pg-link", {type: "button", "data-save": format, "aria-label": `Save the trail as ${format.toUpperCase()}`, onclick: () => film(format)}, format === "gif" ? "Save the trail as GIF" : "as MP4"));
const forget = pg.tool("close", "Forget the trail", () => { playing.stop(); trail = []; tools(); soon(); }, {"data-forget": true});
part("tools").append(show, again, ...saves, forget);
const tools = () => {
  const {lattice} = latent.result;
  show.hidden = !lattice || !lattice.points;
  show.replaceChildren(...["codes", "pictures"].map((way) => h("button.pg-chip", {type: "button", "data-show": way, "aria-pressed": String(way === latent.state.show), onclick: () => latent.set({show: way})}, way)));
  for (const one of [again, ...saves, forget]) one.hidden = trail.length < 2;
};

// ---- news
const progress = part("progress");
latent.on("result", () => {
  const {status, text, stale} = latent.result;
  const told = latent.result.progress;
  progress.hidden = status !== "running";
  progress.querySelector("i").style.width = told && told.total > 1 ? `${(100 * told.done) / told.total}%` : "";
  progress.querySelector(".pg-bar").classList.toggle("unknown", !told || told.total <= 1);
  progress.querySelector("span").textContent = told ? told.text : "";
  element.querySelector(".lt-desk").classList.toggle("stale", Boolean(stale));
  part("text").hidden = !text && status !== "stopped";
  part("text").textContent = text || (status === "stopped" ? "Stopped. Choose again, or another model." : "");
});
progress.querySelector("p").append(h("button.pg-link", {type: "button", "data-cancel": true, onclick: () => latent.cancel()}, "Cancel"));
let known = "";
latent.on("lattice", () => {
  const {run} = latent.result;
  if (known !== run) { trail = []; known = run; }
  tools();
  anew();
});
latent.on("state", () => { tools(); anew(); });
for (const topic of ["place", "exact"]) latent.on(topic, soon);
new ResizeObserver(anew).observe(pad);
new MutationObserver(anew).observe(document.body, {attributes: true, attributeFilter: ["class"]});
