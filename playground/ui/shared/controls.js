// Controls are drawn from the specs that the server read out of signatures; a new knob needs no line here.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;

  // ---- values
  const takes = (spec, value) => {
    const options = spec.options || [];
    switch (spec.knob) {
      case "Slider": return typeof value === "number" && value >= spec.low && value <= spec.high;
      case "Choice": case "Label": return options.includes(value);
      case "Toggle": return typeof value === "boolean";
      case "Others": return Array.isArray(value) && value.every((v) => options.includes(v));
      case "Picture":
      case "Drawing": return typeof value === "string";
      default: return false;
    }
  };
  const parsed = (spec, text) => {
    if (spec.knob === "Slider") return Number(text);
    if (spec.knob === "Toggle") return text === "true";
    if (spec.knob === "Others") return text.split(",").filter(Boolean);
    return text;
  };

  // ---- one control per kind of knob: a function from the spec to a node and a way to set what it shows
  const slider = (spec, owner) => {
    const props = {min: spec.low, max: spec.high, step: Number.isInteger(spec.step) ? spec.step : "any"};
    const range = h("input.pg-range", {type: "range", ...props, step: spec.step, "aria-label": pg.words(spec.name), oninput: () => turn(range)});
    const box = h("input.pg-number-box", {type: "number", ...props, "aria-label": `${pg.words(spec.name)}, as a number`, onchange: () => turn(box)});
    const turn = (from) => { if (from.value !== "" && from.checkValidity()) owner.turn(spec.name, Number(from.value)); else owner.tellState(); };
    const show = (value) => {
      range.value = value;
      if (document.activeElement !== box) box.value = value;
      range.style.setProperty("--filled", `${(100 * (value - spec.low)) / (spec.high - spec.low || 1)}%`);
    };
    return {node: h("div.pg-slider", {}, range, box), show};
  };

  const chips = (spec, owner) => {
    const buttons = spec.options.map((option) => h("button.pg-chip", {type: "button", "data-option": option, onclick: () => owner.turn(spec.name, option)}, option));
    const node = h("div.pg-chips", {role: "group", "aria-label": pg.words(spec.name)}, buttons);
    return {node, show: (value) => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.option === value)))};
  };

  const select = (spec, owner) => {
    const node = h("select.pg-select", {"aria-label": pg.words(spec.name), onchange: () => owner.turn(spec.name, node.value)},
      spec.options.map((option) => h("option", {value: option}, option)));
    return {node, show: (value) => { node.value = value; }};
  };

  const toggle = (spec, owner) => {
    const node = h("button.pg-switch", {type: "button", role: "switch", "aria-label": pg.words(spec.name), onclick: () => owner.turn(spec.name, !owner.knob(spec))});
    return {node, show: (value) => node.setAttribute("aria-checked", String(Boolean(value)))};
  };

  const others = (spec, owner) => {
    const chosen = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
    const rows = spec.options.map((name) => h("label.pg-check", {}, h("input", {type: "checkbox", value: name,
      onchange: () => owner.turn(spec.name, chosen())}), h("span", {}, (owner.model(name) || {}).title || name)));
    const node = h("div", {role: "group", "aria-label": pg.words(spec.name)}, rows);
    const show = (value) => node.querySelectorAll("input").forEach((box) => {
      box.checked = value.includes(box.value);
      box.disabled = !box.checked && value.length >= spec.most;
    });
    return {node, show};
  };

  const CONTROLS = {Slider: slider, Label: chips, Toggle: toggle, Others: others, Picture: (spec, owner) => pg.pictureKnob(spec, owner), Drawing: (spec, owner) => pg.drawingKnob(spec, owner),
    Choice: (spec, owner) => (spec.options.join("").length <= 30 ? chips : select)(spec, owner)};

  // A one-letter name is a number of things, and its help says of which.
  const titled = (spec) => (spec.name.length > 1 ? pg.words(spec.name) : "How many");

  // A knob with its name, its help and the way back to its default. ``owner`` knows its value and turns it: a page's store.
  const row = (spec, owner = pg) => {
    const control = CONTROLS[spec.knob](spec, owner);
    const reset = h("button.pg-reset", {type: "button", "aria-label": `${pg.words(spec.name)}: back to the default`, title: "back to the default",
      onclick: () => owner.turn(spec.name, undefined)}, pg.icon("reset"));
    const node = h("div.pg-knob", {"data-knob": spec.name, "data-kind": spec.knob},
      h("div.pg-knob-head", {}, h("span.pg-knob-name", {}, titled(spec)), reset), control.node, spec.help ? h("p.pg-fine", {}, spec.help) : null);
    const show = () => {
      reset.classList.toggle("on", !pg.same(owner.knob(spec), spec.default));
      control.show(owner.knob(spec));
    };
    return {node, show};
  };

  Object.assign(pg, {takes, parsed, knobRow: row});
})();
