// Replaces a region of the page by the server's newer one, every so many seconds or on a button.
// Without script the region stays as it was sent, and links load it anew.
/** @type {{ createHTML(html: string): unknown } | undefined} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("ebp", {
  createHTML: (/** @type {string} */ html) => html,
});

/** @param {string} text */
const parse = (text) =>
  new DOMParser().parseFromString(/** @type {any} */ (policy ? policy.createHTML(text) : text), "text/html");

/** @param {HTMLElement} region */
async function renew(region) {
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(region.dataset.source ?? location.href, {
      headers: { "x-ebp-region": "1" },
      redirect: "error",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const newer = parse(await answer.text()).getElementById(region.id);
    if (!newer) throw new Error("no region");
    region.replaceChildren(...newer.childNodes);
    region.classList.remove("stale");
  } catch {
    // The old content stays; its times say how old it is.
    region.classList.add("stale");
  } finally {
    region.removeAttribute("aria-busy");
  }
}

for (const region of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-every]"))) {
  const seconds = Number(region.dataset.every);
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(`[data-pause="${region.id}"]`));
  let isPaused = false;
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      isPaused = !isPaused;
      button.setAttribute("aria-pressed", String(isPaused));
    });
  }
  const step = async () => {
    if (!isPaused && !document.hidden) await renew(region);
    setTimeout(step, seconds * 1000);
  };
  setTimeout(step, seconds * 1000);
  // Whoever comes back to the page does not read old figures.
  document.addEventListener("visibilitychange", () => {
    if (!isPaused && !document.hidden) renew(region);
  });
}
