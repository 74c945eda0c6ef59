// The Scores page's wire: questions by server functions, work by one queued event and its end.
watch("value", () => window.scores.receive(props.value));
window.scores.connect({server, start: (asked) => trigger("run", asked), stop: () => trigger("stop")});
