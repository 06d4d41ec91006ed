// Has the server check a form while it is filled in. The rules are the server's alone.

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-check]"))) {
  let timer = 0;
  const check = async () => {
    try {
      const answer = await fetch(form.dataset.check ?? "", {
        method: "POST",
        body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
        headers: { "x-ebp-region": "1" },
        redirect: "error",
      });
      if (!answer.ok) return;
      /** @type {Record<string, string>} */
      const faults = await answer.json();
      for (const place of form.querySelectorAll("[data-fault]")) {
        const name = /** @type {HTMLElement} */ (place).dataset.fault ?? "";
        const field = form.elements.namedItem(name);
        place.textContent = faults[name] ?? "";
        if (field instanceof HTMLElement) {
          if (name in faults) field.setAttribute("aria-invalid", "true");
          else field.removeAttribute("aria-invalid");
        }
      }
    } catch {
      // The server checks again when the form is sent.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 500);
  });
}
