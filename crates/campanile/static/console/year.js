// A year that is wider than the window begins where today is.
// @ts-check

/** @param {HTMLElement} card */
export function start(card) {
  const today = card.querySelector(".today");
  const names = card.querySelector("tbody th");
  if (!today || !names) return;
  const { left, width } = card.getBoundingClientRect();
  const free = width - names.getBoundingClientRect().width;
  const at = today.getBoundingClientRect().left - left - names.getBoundingClientRect().width;
  if (at > free / 2) card.scrollLeft += at - free / 2;
}
