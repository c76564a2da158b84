// What stands at the top of every page goes without the page being left: what was typed on it stays.
// @ts-check
import { refresh } from "./bell.js";
import { fetchPage, fieldsOf } from "./fragment.js";

export function start() {
  const banners = document.getElementById("banners");
  banners?.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    try {
      const page = await fetchPage(form.getAttribute("action") ?? "", { method: "POST", body: fieldsOf(form) });
      // What was just done, with its undo, and what stands there now, are those of the page that the form leads to.
      const notices = document.getElementById("notices");
      notices?.replaceChildren(...(page.getElementById("notices")?.childNodes ?? []));
      banners.replaceChildren(...(page.getElementById("banners")?.childNodes ?? []));
      if (!banners.querySelector("article")) banners.remove();
      const next = notices?.querySelector("button") ?? banners.querySelector("button");
      (next ?? document.getElementById("main"))?.focus();
      await refresh();
    } catch {
      // Away for a moment, or the session is over, which the page says: the form goes the ordinary way.
      form.submit();
    }
  });
}
