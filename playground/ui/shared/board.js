// What the stores of all pages share: who listens to what, and a first question that a busy server may lose.
"use strict";
window.playground = window.playground || {};
(() => {
  const pg = window.playground;
  const PAUSES = [400, 1200, 2500]; // milliseconds before the question is asked again

  // ``known(topic)`` says whether there is something to tell: who comes to life after the news has arrived is told at
  // once what the others were told then.
  const board = (known) => {
    const listeners = {};
    const on = (topic, listener) => {
      (listeners[topic] = listeners[topic] || []).push(listener);
      if (known(topic)) listener();
    };
    const tell = (topic, what) => (listeners[topic] || []).forEach((listener) => listener(what));
    return {on, tell};
  };

  const patiently = async (question) => {
    let answered = await question();
    for (const pause of PAUSES) {
      if (answered.ok) break;
      await new Promise((resolve) => setTimeout(resolve, pause));
      answered = await question();
    }
    return answered;
  };

  Object.assign(pg, {board, patiently});
})();
