// A button that copies what stands before it.
// @ts-check

/** @param {HTMLElement} element The box with the text and the button. */
export function start(element) {
  const button = element.querySelector("button");
  const text = element.querySelector("[data-text]")?.textContent ?? "";
  if (!button || !navigator.clipboard) return;
  const label = button.textContent;
  button.classList.add("ready");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.done ?? "";
    setTimeout(() => (button.textContent = label), 2_000);
  });
}
