// The laboratory's wire: with it the store can ask the server. It shows nothing.
window.lab.connect({server});
