// Reads a chart out by pointer, touch and arrow keys. The values are those of the table beneath it:
// row by row, slot by slot.

/** @param {HTMLElement} figure */
function prepare(figure) {
  const svg = /** @type {SVGElement | null} */ (figure.querySelector("svg.chart"));
  const cursor = figure.querySelector(".cursor");
  const readout = figure.querySelector(".readout");
  const table = figure.querySelector("table");
  if (!svg || !cursor || !readout || !table) return;
  const heads = [...table.querySelectorAll("thead th")].map((head) => ({
    name: head.firstChild?.textContent?.trim(),
    unit: head.querySelector("small")?.textContent ?? "",
  }));
  const rows = [...table.querySelectorAll("tbody tr")];
  if (rows.length === 0) return;
  let place = -1;
  readout.textContent = /** @type {HTMLElement} */ (readout).dataset.hint ?? "";

  /** @param {number} next */
  const show = (next) => {
    place = Math.max(0, Math.min(rows.length - 1, next));
    const cells = [...rows[place].children].map((cell) => cell.textContent?.trim());
    const values = cells.slice(1).map((value, i) => `${heads[i + 1].name} ${value} ${heads[i + 1].unit}`.trim());
    readout.textContent = `${cells[0]}: ${values.join(" · ")}`;
    const x = `${((place + 0.5) * 100) / rows.length}%`;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.removeAttribute("hidden");
  };

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * rows.length));
  });
  svg.addEventListener("pointerdown", (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * rows.length));
  });
  const frame = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
  frame.tabIndex = 0;
  frame.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: rows.length - 1 };
    if (event.key in steps) {
      event.preventDefault();
      show(steps[event.key]);
    }
  });
}

for (const figure of document.querySelectorAll("figure")) prepare(figure);
