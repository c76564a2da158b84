// The list of the inbox follows what moves, in its place.
// @ts-check
import { follow } from "./calm.js";
import { fetchPage, put, startModules } from "./fragment.js";

/** @param {HTMLElement} list */
export function start(list) {
  const get = () => fetchPage(location.href);
  const place = (/** @type {Document} */ page) => {
    const fresh = page.querySelector('[data-module="inbox"]');
    if (!fresh) return;
    const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("a.open")]);
    const seen = scrollY > 0 ? rows.find((row) => row.getBoundingClientRect().bottom > 0) : undefined;
    const [was, address] = [seen?.getBoundingClientRect().top ?? 0, seen?.getAttribute("href")];
    put(list, fresh.innerHTML);
    startModules(list);
    const is = address && list.querySelector(`a.open[href="${CSS.escape(address)}"]`);
    if (is) scrollBy({ top: is.getBoundingClientRect().top - was, behavior: "instant" });
  };
  follow(list, ({ moved }) => moved, get, place);
}
