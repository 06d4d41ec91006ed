// Moves the place on the map by arrow keys and by pressing, without a request. The fields say where it is;
// the server names its region when it is asked.

/** @param {HTMLElement} pick */
function prepare(pick) {
  const map = pick.querySelector("input");
  const marker = pick.querySelector("svg");
  const circle = pick.querySelector("circle");
  const fields = ["latitude", "longitude"].map((name) => document.getElementById(name));
  const [latitude, longitude] = /** @type {HTMLInputElement[]} */ (fields);
  if (!map || !marker || !circle || !latitude || !longitude) return;
  const { west, north, eastUnit, southUnit } = Object.fromEntries(
    Object.entries(pick.dataset).map(([name, value]) => [name, Number(value)]),
  );
  const size = marker.viewBox.baseVal;
  /** @param {HTMLInputElement} field */
  const degrees = (field) => Number(field.value.replace(",", "."));
  const text = new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: 5,
    maximumFractionDigits: 5,
  });

  /**
   * @param {number} x
   * @param {number} y
   */
  const move = (x, y) => {
    latitude.value = text.format(north - y / southUnit);
    longitude.value = text.format(west + x / eastUnit);
    latitude.dispatchEvent(new Event("input", { bubbles: true }));
    circle.setAttribute("cx", String(x));
    circle.setAttribute("cy", String(y));
    marker.removeAttribute("hidden");
    document.querySelector("[data-region]")?.remove();
  };

  map.addEventListener("click", (event) => {
    // By the keyboard it is pressed at no place.
    if (event.detail === 0) return;
    event.preventDefault();
    const box = map.getBoundingClientRect();
    move(((event.clientX - box.left) / box.width) * size.width, ((event.clientY - box.top) / box.height) * size.height);
  });
  map.addEventListener("keydown", (event) => {
    /** @type {Record<string, [number, number]>} */
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const isPlaced = latitude.value !== "" && longitude.value !== "";
    const x = isPlaced ? (degrees(longitude) - west) * eastUnit : size.width / 2;
    const y = isPlaced ? (north - degrees(latitude)) * southUnit : size.height / 2;
    move(x + (step[0] * size.width) / 100, y + (step[1] * size.width) / 100);
  });
}

for (const pick of document.querySelectorAll(".pick")) prepare(/** @type {HTMLElement} */ (pick));
