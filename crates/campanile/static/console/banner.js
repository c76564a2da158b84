// What stands at the top of every page goes without the page being left: what was typed on it stays.
// @ts-check
import { refresh } from "./bell.js";
import { fetchPage, fieldsOf } from "./fragment.js";
import { over } from "./session.js";

/** A page that says what was just done, with its undo; not every page does. */
const TOLD_AT = "/inbox?view=banners";

/** Does what a form asks for; what was done and what stands there now are those of the page that answers. @param {HTMLFormElement} form */
async function act(form) {
  const banners = document.getElementById("banners");
  const notices = document.getElementById("notices");
  const fields = fieldsOf(form);
  fields.set("back", TOLD_AT);
  try {
    const page = await fetchPage(form.getAttribute("action") ?? "", { method: "POST", body: fields });
    notices?.replaceChildren(...(page.getElementById("notices")?.childNodes ?? []));
    banners?.replaceChildren(...(page.getElementById("banners")?.childNodes ?? []));
    // Never the next banner's button: pressed twice, it would do what nobody meant.
    (notices?.querySelector("button") ?? document.getElementById("main"))?.focus();
  } catch (error) {
    // The session is over, which the page says, or the server is away for a moment.
    if (over()) return;
    const status = error instanceof Error ? error.message : "";
    // What was taken back meanwhile is gone.
    if (status === "404" || status === "409") form.closest("article")?.remove();
    else if (notices) {
      const words = Object.assign(document.createElement("p"), { className: "say bad", textContent: notices.dataset.away ?? "" });
      words.setAttribute("role", "alert");
      notices.replaceChildren(words);
    }
  }
  if (banners) banners.hidden = !banners.querySelector("article");
  await refresh();
}

export function start() {
  const banners = document.getElementById("banners");
  const take = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    act(/** @type {HTMLFormElement} */ (event.target));
  };
  banners?.addEventListener("submit", take);
  // The undo of a dismissal stands among the notices, above what somebody may be typing.
  document.getElementById("notices")?.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (banners && form.querySelector('input[name="action"][value="show"]')) take(event);
  });
}
