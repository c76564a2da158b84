// <campanile-banner>: what stands at the top of a page. It comes and goes without the page being left: what was typed on
// the page stays.
// @ts-check
import { follow } from "./calm.js";
import { client } from "./client.js";
import { CampanileElement, alertOf, messageOf } from "./element.js";
import { PART, fetchPage, fetchPart, fieldsOf, put } from "./fragment.js";

/** A page that says what was just done, with its undo; not every page does. */
const TOLD_AT = "/inbox?view=banners";

export class CampanileBanner extends CampanileElement {
  /** How many stand, as far as they are all shown. */
  #known = 0;

  /** What holds the banners. @returns {HTMLElement} */
  get #holder() {
    return this.place ?? this;
  }

  get #articles() {
    return /** @type {HTMLElement[]} */ ([...this.#holder.querySelectorAll("article")]);
  }

  /** Where words on what was done stand. */
  get #notices() {
    return this.isLight ? document.getElementById("notices") : this.#holder.querySelector(".notices");
  }

  /** @param {AbortSignal} signal */
  async start(signal) {
    if (this.place) {
      const html = await this.#get();
      if (signal.aborted) return;
      put(this.place, html);
    } else {
      this.addEventListener("submit", (event) => this.submitted(event), { signal });
      // The undo of a dismissal stands among the notices, above what somebody may be typing.
      this.#notices?.addEventListener("submit", (event) => {
        const form = /** @type {HTMLFormElement} */ (event.target);
        if (form.querySelector('input[name="action"][value="show"]')) this.submitted(/** @type {SubmitEvent} */ (event));
      }, { signal });
    }
    // Those that the page has not room for are not counted.
    this.#known = this.#holder.querySelector(".more") ? -1 : this.#articles.length;
    follow(this.#holder, (told) => this.#moves(told), () => this.#get(), (html) => this.#renew(html), signal);
  }

  /** @param {import("./client.js").Told} told */
  #moves({ name, data, moved }) {
    if (name === "message") return data.banner || data.change === "gone";
    if (name !== "hello" && name !== "counts") return false;
    const differs = data.banners !== this.#known;
    this.#known = data.banners;
    return differs || (name === "hello" && moved);
  }

  async #get() {
    if (!this.isLight) return fetchPart("/banners", { headers: PART });
    const html = await fetchPart(this.dataset.address ?? "/banners");
    await styled();
    return html;
  }

  /** Puts those in place that stand now, and tells who does not see it of new ones. @param {string} html */
  #renew(html) {
    const before = new Set(this.#articles.map((article) => article.dataset.id));
    const { activeElement } = /** @type {Document | ShadowRoot} */ (this.root.getRootNode());
    const focused = this.#holder.contains(activeElement);
    const said = this.isLight ? null : this.#notices;
    put(this.#holder, html);
    if (said?.childElementCount) this.#notices?.replaceWith(said);
    if (focused && !this.#holder.contains(activeElement)) document.getElementById("main")?.focus();
    const come = this.#articles.filter((article) => !before.has(article.dataset.id));
    const words = come.map((article) => article.querySelector(".said")?.textContent?.replace(/\s+/g, " ").trim());
    const label = this.#holder.querySelector(".banners")?.getAttribute("aria-label");
    if (words.length > 0) this.tell(`${label}: ${words.join(" ")}`);
  }

  /** A message is opened where the page has a place for it. @param {URL} url */
  follows(url) {
    const place = document.querySelector("campanile-inbox:not([light]), campanile-bell:not([light])");
    const id = messageOf(url);
    if (id && this.opens(id)) /** @type {any} */ (place)?.open(id);
  }

  /** What was done, and what stands there now, are told by the server. @param {SubmitEvent} event */
  async submitted(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const fields = fieldsOf(form);
    fields.set("back", TOLD_AT);
    const notices = this.#notices;
    try {
      const page = await fetchPage(form.getAttribute("action") ?? "", { method: "POST", body: fields, headers: PART });
      const html = await this.#get();
      put(this.#holder, html);
      const place = this.#notices;
      place?.replaceChildren(...(page.querySelector(".notices")?.childNodes ?? []));
      // Never the next banner's button: pressed twice, it would do what nobody meant.
      (place?.querySelector("button") ?? document.getElementById("main"))?.focus();
    } catch (error) {
      // The session is over, which the page says, or the server is away for a moment.
      if (client()?.over) return;
      const status = error instanceof Error ? error.message : "";
      // What was taken back meanwhile is gone.
      if (status === "404" || status === "409") form.closest("article")?.remove();
      else if (notices) notices.replaceChildren(alertOf(/** @type {HTMLElement} */ (notices).dataset.away ?? ""));
    }
    await client()?.refresh();
  }
}

/** The style of banners, which a page without any has not loaded. */
async function styled() {
  if (document.querySelector('link[href$="/banner.css"]')) return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("banner.css", import.meta.url).href });
  const loaded = new Promise((go) => link.addEventListener("load", go));
  document.head.append(link);
  await loaded;
}
