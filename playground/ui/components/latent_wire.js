// The Latent page's wire: with it the store can ask the server. It shows nothing.
watch("value", () => window.latent.receive(props.value));
window.latent.connect({server, start: (asked) => trigger("run", asked), stop: () => trigger("stop")});
