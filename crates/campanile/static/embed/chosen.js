// What is ticked in a list: how many there are, and all of them at once.
// @ts-check

/** @param {HTMLFormElement} form */
export function start(form) {
  const boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name=id]")]);
  const all = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-all]"));
  const words = /** @type {HTMLElement | null} */ (form.querySelector("[data-chosen]"));
  if (!all || !words) return;
  all.parentElement?.removeAttribute("hidden");
  function count() {
    const chosen = boxes.filter((box) => box.checked).length;
    words.textContent = (words.dataset.chosen ?? "").replace("{n}", String(chosen));
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of boxes) box.checked = all.checked;
    count();
  });
  // A browser that comes back to the page has kept the ticks.
  count();
}
