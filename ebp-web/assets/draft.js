// Keeps what is typed into a form in this tab until it is saved: a lost session, a reload or a crash costs
// nothing. What is kept is offered, and comes back by way of the server's own form. Signing out forgets it.

const PREFIX = "ebp-draft:";
/** As long as a session lasts at most, ms. */
const LONGEST = 36e6;

/** @param {HTMLFormElement} form */
function prepare(form) {
  const key = PREFIX + new URL(form.action).pathname;
  const entered = () => [...new FormData(form)].filter(([name]) => name !== "token");
  const keep = () => sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), pairs: entered() }));
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  const offer = document.getElementById("draft");
  // What was sent and has come back is newer than what was kept.
  if (form.dataset.draft === "sent") keep();
  else if (kept && offer && kept.at > Date.now() - LONGEST) {
    offer.hidden = JSON.stringify(kept.pairs) === JSON.stringify(entered());
    offer.querySelector("[data-restore]")?.addEventListener("click", () => restore(form, kept.pairs));
    offer.querySelector("[data-discard]")?.addEventListener("click", () => {
      sessionStorage.removeItem(key);
      offer.hidden = true;
    });
  }
  form.addEventListener("input", keep);
}

/**
 * @param {HTMLFormElement} form
 * @param {[string, string][]} pairs
 */
function restore(form, pairs) {
  const again = document.createElement("form");
  again.method = "post";
  again.action = form.action;
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("token")).value;
  for (const [name, value] of [...pairs, ["token", token], ["do", "show"]]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    again.append(field);
  }
  document.body.append(again);
  again.submit();
}

try {
  const isSignedOut = new URLSearchParams(location.search).has("out");
  const saved = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-draft-done]"));
  const done = [...saved].flatMap((place) => (place.dataset.draftDone ?? "").split(" "));
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && (isSignedOut || done.includes(key.slice(PREFIX.length)))) {
      sessionStorage.removeItem(key);
    }
  }
  for (const form of document.querySelectorAll("form[data-draft]")) prepare(/** @type {HTMLFormElement} */ (form));
} catch {
  // A browser that keeps nothing: the server still returns what was sent.
}
