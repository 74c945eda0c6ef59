// The wire of the sections Walk and Perturb. It shows nothing.
watch("value", () => window.walks.receive(props.value));
window.walks.connect({start: (asked) => trigger("run", asked), stop: () => trigger("stop")});
