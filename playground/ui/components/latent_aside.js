// The wire of work beside the plane's. It shows nothing.
watch("value", () => window.latent.aside.receive(props.value));
window.latent.aside.connect({start: (asked) => trigger("run", asked), stop: () => trigger("stop")});
