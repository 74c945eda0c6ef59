// What every element needs to write to the page: making nodes, icons, numbers in words, a toast.
"use strict";
window.playground = window.playground || {};

(() => {
  // h("button.pg-link", {onclick: f, "aria-label": "x"}, "text", node, null) makes a node.
  const h = (tag, props = {}, ...children) => {
    const [name, ...classes] = tag.split(".");
    const node = document.createElement(name);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(props || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (key === "value" || key === "checked") node[key] = value;
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  };

  const ICONS = {
    dice: "M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM8.5 8.5h.01M15.5 8.5h.01M12 12h.01M8.5 15.5h.01M15.5 15.5h.01",
    lock: "M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8 11V7a4 4 0 0 1 8 0v4",
    unlock: "M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8 11V7a4 4 0 0 1 7.5-2",
    link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
    invert: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 3v18M12 7h6.5M12 12h9M12 17h6.5",
    play: "M7 4l13 8-13 8z",
    pause: "M8 5v14M16 5v14",
    close: "M6 6l12 12M18 6L6 18",
    left: "M15 5l-7 7 7 7",
    right: "M9 5l7 7-7 7",
    down: "M5 9l7 7 7-7",
    save: "M12 4v11M7 11l5 5 5-5M5 20h14",
    reset: "M4 5v5h5M4.5 10a8 8 0 1 1-.5 5",
    step: "M6 5l9 7-9 7zM18 5v14",
    copy: "M9 8h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM5 16H4V5a1 1 0 0 1 1-1h11v1",
    flag: "M5 21V4h13l-3 4 3 4H5",
    pen: "M4 20l1-5L16.5 3.5a2.1 2.1 0 0 1 3 0l1 1a2.1 2.1 0 0 1 0 3L9 19zM14 6l4 4",
    eraser: "M8 20h12M6.5 19.5l-3-3a1.5 1.5 0 0 1 0-2L14 4a1.5 1.5 0 0 1 2 0l4.5 4.5a1.5 1.5 0 0 1 0 2L11.5 19.5zM8.5 9.5l6.5 6.5",
    hide: "M4 5h16v14H4zM4 12l7-7M4 18L17 5M10 19L20 9M16 19l4-4",
    show: "M2.5 12S6 5.5 12 5.5 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
    undo: "M8 5L4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-3",
    redo: "M16 5l4 4-4 4M20 9H10a5.500 5.500 0 0 0 0 11h3",
    bin: "M4 7h16M10 7V4h4v3M6.500 7l1 13h9l1-13M10 11v5M14 11v5",
    picture: "M4 5h16v14H4zM4 16l5-5 5 5 2-2 4 4M15.500 9h.01",
    keys: "M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  };

  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", "pg-icon");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };

  // A round button that shows an icon and says what it does.
  const tool = (name, label, onclick, props = {}) =>
    h("button.pg-tool", {type: "button", "aria-label": label, title: label, onclick, ...props}, icon(name));

  const seconds = (s) => (s < 0.0995 ? `${Math.max(1, Math.round(1000 * s))} ms` : s < 60 ? `${s.toFixed(s < 10 ? 1 : 0)} s`
    : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);

  const number = (value) => (typeof value !== "number" ? String(value ?? "–")
    : Number.isInteger(value) ? value.toLocaleString("en") : Math.abs(value) >= 1e5 ? value.toExponential(2)
    : String(Number(value.toPrecision(4))));

  // A knob or an activity as a person reads it: ``guidance_scale`` is "Guidance scale".
  const words = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replace(/[_-]/g, " ");

  let fading = null;
  const toast = (text) => {
    let box = document.getElementById("pg-toast");
    if (!box) document.body.append((box = h("div", {id: "pg-toast", role: "status", "aria-live": "polite"})));
    box.textContent = text;
    box.classList.add("on");
    clearTimeout(fading);
    fading = setTimeout(() => box.classList.remove("on"), 2600);
  };

  // Hand a file to the person.
  const save = (name, href) => h("a", {href, download: name}).click();

  // The pages stand beside each other, wherever this is mounted.
  const root = location.pathname.replace(/(latent|lab|scores|sketch)\/?$/, "");

  const remember = (key, value) => { try { localStorage.setItem(`pg-${key}`, value); } catch { /* private window */ } };
  const remembered = (key) => { try { return localStorage.getItem(`pg-${key}`); } catch { return null; } };

  Object.assign(window.playground, {h, icon, tool, seconds, number, words, toast, save, root, remember, remembered});
})();
