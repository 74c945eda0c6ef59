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

  // A wire under hands that change their mind quickly: it runs one request at a time, and Gradio cannot stop one that the
  // server has not said a word about, so whatever comes meanwhile waits for that word.
  const channel = (wire) => {
    let [now, heard, doomed, next] = [0, false, false, null]; // now: the run that is on; next: what is started after it
    const go = (asked) => { [now, heard, doomed, next] = [asked.run, false, false, null]; wire.start(asked); };
    const end = () => { const waits = next; [now, doomed, next] = [0, false, null]; if (waits) go(waits); };
    const stop = () => {
      if (!now) return;
      if (heard) { wire.stop(); end(); } else [doomed, next] = [true, null];
    };
    const start = (asked) => {
      if (now && heard) stop();
      if (now) [doomed, next] = [true, asked];
      else go(asked);
    };
    const hear = ({run, done}) => {
      if (run !== now) return;
      heard = true;
      if (doomed && !done) wire.stop();
      if (doomed || done) end();
    };
    return {start, stop, hear, lost: end};
  };

  Object.assign(pg, {board, patiently, channel});
})();
