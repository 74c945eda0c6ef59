// The activities as a row of words. The line below says what the chosen one does, or, while pointing at a grey one, why not.
const pg = window.playground;
const {h} = pg;
const row = element.querySelector(".pg-activities");
const help = element.querySelector(".pg-activity-help");

const sentence = (doing) => {
  const reason = pg.whyNot(pg.state.model, doing.name);
  return reason === null ? doing.help : `Not with this model: ${reason}.`;
};
const explain = (doing) => { help.textContent = sentence(doing); };

const button = (doing) => {
  const reason = pg.whyNot(pg.state.model, doing.name);
  const cannot = reason !== null;
  return h(cannot ? "button.pg-tab.pg-cannot" : "button.pg-tab",
    {type: "button", "data-activity": doing.name, "data-fits": String(!cannot), title: cannot ? reason : doing.help,
      "aria-pressed": String(doing.name === pg.state.activity), "aria-description": sentence(doing),
      onclick: () => doing.name === pg.state.activity || pg.set({activity: doing.name}),
      onmouseenter: () => explain(doing), onfocus: () => explain(doing),
      onmouseleave: () => explain(pg.activity()), onblur: () => explain(pg.activity())},
    doing.title || pg.words(doing.name));
};

let before = "";
pg.on("state", () => {
  const now = `${pg.state.model}/${pg.state.activity}`;
  if (now === before) return;
  before = now;
  const held = element.contains(document.activeElement) && document.activeElement.dataset.activity;
  row.replaceChildren(...pg.activities().map(button));
  explain(pg.activity());
  if (held) row.querySelector(`[data-activity="${held}"]`)?.focus();
});
