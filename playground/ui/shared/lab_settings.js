// A learner's own settings as controls: turned while nothing runs they hold for the next race, else at once.
"use strict";
(() => {
  const pg = window.playground;
  const lab = window.lab;
  const {h} = pg;

  const valueOf = (learner, setting) => (lab.state.settings[learner.name] || {})[setting.name]
    ?? (setting.name === "width" ? lab.state.width : null) ?? setting.default;

  const turn = async (learner, setting, value) => {
    const own = {...(lab.state.settings[learner.name] || {}), [setting.name]: value};
    if (pg.same(value, setting.default)) delete own[setting.name];
    lab.set({settings: {...lab.state.settings, [learner.name]: own}});
    if (!lab.race.id) return;
    const answered = await lab.tell({do: "set", learner: learner.name, settings: {[setting.name]: value}});
    if (!answered.ok) pg.toast(answered.error);
  };

  const slider = (learner, setting) => {
    const props = {min: setting.low, max: setting.high, step: setting.step};
    const show = (value) => {
      range.value = value;
      box.value = value;
      range.style.setProperty("--filled", `${(100 * (value - setting.low)) / (setting.high - setting.low || 1)}%`);
    };
    const take = (from) => {
      if (from.value === "" || !from.checkValidity()) { show(valueOf(learner, setting)); return; }
      show(Number(from.value));
      turn(learner, setting, Number(from.value));
    };
    const range = h("input.pg-range", {type: "range", ...props, "aria-label": pg.words(setting.name), oninput: () => show(Number(range.value)), onchange: () => take(range)});
    const box = h("input.pg-number-box", {type: "number", ...props, "aria-label": `${pg.words(setting.name)}, as a number`, onchange: () => take(box)});
    show(valueOf(learner, setting));
    return h("div.pg-slider", {}, range, box);
  };

  const choice = (learner, setting) => {
    const buttons = setting.options.map((option) => h("button.pg-chip", {type: "button", "data-option": option,
      onclick: () => { show(option); turn(learner, setting, option); }}, pg.words(String(option))));
    const show = (value) => buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(setting.options[i] === value)));
    show(valueOf(learner, setting));
    return h("div.pg-chips", {role: "group", "aria-label": pg.words(setting.name)}, buttons);
  };

  // One labelled control per knob of ``learner``.
  const settingsForm = (learner) => learner.knobs.map((setting) => h("div.pg-knob", {"data-setting": setting.name},
    h("span.pg-knob-name", {}, pg.words(setting.name)), (setting.options ? choice : slider)(learner, setting),
    setting.help ? h("p.pg-fine", {}, setting.help) : null));

  Object.assign(lab, {settingsForm});
})();
