// Style tags around what is selected, by a button or by a key: [b], [i] and [link]. Who types them by hand needs none of it.
// @ts-check

/** @param {HTMLElement} bar */
export function start(bar) {
  const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById(bar.dataset.text ?? ""));
  if (!text) return;

  /** @param {string} tag */
  function put(tag) {
    const { selectionStart: from, selectionEnd: to, value } = text;
    const open = tag === "link" ? '[link="https://"]' : `[${tag}]`;
    text.focus();
    text.setRangeText(`${open}${value.slice(from, to)}[/${tag}]`, from, to, "end");
    // On goes the writing: in the address of a link, else in what was selected.
    const inside = from + open.length;
    if (tag === "link") text.setSelectionRange(inside - 2, inside - 2);
    else text.setSelectionRange(inside, inside + to - from);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  bar.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
    if (button?.dataset.tag) put(button.dataset.tag);
  });
  text.addEventListener("keydown", (event) => {
    const tag = { b: "b", i: "i", k: "link" }[event.key.toLowerCase()];
    if (!tag || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    put(tag);
  });
}
