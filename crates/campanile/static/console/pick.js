// A field that names another thing offers what it may mean while one types. Without this script the server asks back.
// @ts-check
import { load } from "../embed/fragment.js";

const WAIT_MS = 200;

/** @param {HTMLInputElement} field */
export function start(field) {
  const list = field.list;
  const find = field.dataset.find;
  if (!list || !find) return;
  let timer = 0;
  let asked = "";
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = field.value.trim();
      // What was chosen from the list comes as an input too: it is there already.
      if (text === asked || [...list.querySelectorAll("option")].some((one) => one.value === text)) return;
      asked = text;
      load(list, `${find}?${new URLSearchParams({ q: text })}`).catch(() => (asked = ""));
    }, WAIT_MS);
  });
}
