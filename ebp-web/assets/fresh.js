// A page that Back takes out of the browser's memory is asked for anew: its session may be over. It is
// hidden until then.
addEventListener("pagehide", () => {
  document.documentElement.hidden = true;
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
