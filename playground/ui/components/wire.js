// The only words spoken with the server: questions by server functions, work by one queued event and its end.
const pg = window.playground;
watch("value", () => pg.receive(props.value));
pg.connect({server, start: (asked) => trigger("run", asked), stop: () => trigger("stop")});
