// One of the Sketch page's wires: each brings the answers of one model, so that several stream side by side.
const {slot} = props.value;
watch("value", () => window.sketch.receive(slot, props.value));
window.sketch.connect(slot, {server, start: (asked) => trigger("run", asked)});
