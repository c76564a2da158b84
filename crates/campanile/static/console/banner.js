// What stands at the top of every page comes and goes without the page being left: what was typed on it stays.
// @ts-check
import { refresh } from "./bell.js";
import { follow } from "./calm.js";
import { fetchPage, fetchPart, fieldsOf, put } from "./fragment.js";
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
  if (banners) banners.hidden = !banners.querySelector("article, .more");
  await refresh();
}

/** The style of banners, which a page without any has not loaded. */
async function styled() {
  if (document.querySelector('link[href$="/banner.css"]')) return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("banner.css", import.meta.url).href });
  const loaded = new Promise((go) => link.addEventListener("load", go));
  document.head.append(link);
  await loaded;
}

const articles = (/** @type {Element} */ banners) => /** @type {HTMLElement[]} */ ([...banners.querySelectorAll("article")]);

/** Puts those in place that stand now, and tells who does not see it of new ones. @param {HTMLElement} banners @param {string} html */
async function place(banners, html) {
  const before = new Set(articles(banners).map((article) => article.dataset.id));
  const focused = banners.contains(document.activeElement);
  put(banners, html);
  banners.hidden = !banners.querySelector("article, .more");
  if (focused && !banners.contains(document.activeElement)) document.getElementById("main")?.focus();
  const come = articles(banners).filter((article) => !before.has(article.dataset.id));
  const words = come.map((article) => article.querySelector(".said")?.textContent?.replace(/\s+/g, " ").trim());
  const told = document.getElementById("told");
  if (told && words.length > 0) told.textContent = `${banners.getAttribute("aria-label")}: ${words.join(" ")}`;
}

/** Follows what comes and goes. @param {HTMLElement} banners */
function keep(banners) {
  // Those that the page has not room for are not counted.
  let known = banners.querySelector(".more") ? -1 : articles(banners).length;
  const moves = (/** @type {import("./live.js").Told} */ { name, data, moved }) => {
    if (name === "down") return false;
    if (name === "message") return data.banner || data.change === "gone";
    const differs = data.banners !== known;
    known = data.banners;
    return differs || (name === "hello" && moved);
  };
  const get = async () => {
    const html = await fetchPart(banners.dataset.address ?? "/banners");
    await styled();
    return html;
  };
  follow(banners, moves, get, (html) => place(banners, html));
}

export function start() {
  const banners = document.getElementById("banners");
  if (banners) keep(banners);
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
