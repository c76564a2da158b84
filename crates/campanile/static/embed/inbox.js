// <campanile-inbox>: the list of messages, and the one that is read.
// @ts-check
import { follow } from "./calm.js";
import { start as startChosen } from "./chosen.js";
import { CampanileElement, alertOf } from "./element.js";
import { PART, fetchPage, fetchPart, put } from "./fragment.js";

export class CampanileInbox extends CampanileElement {
  /** What a page of another site shows. */
  #shown = "/inbox";

  /** @param {AbortSignal} signal */
  async start(signal) {
    const { place } = this;
    if (!place) {
      this.#startList();
      return follow(this, ({ moved }) => moved, () => fetchPage(location.href, { headers: PART }), (page) => this.#renew(page), signal);
    }
    const html = await fetchPart(this.#shown, { headers: PART });
    if (signal.aborted) return;
    this.show(html, this.#shown);
    const get = async () => ({ at: this.#shown, html: await fetchPart(this.#shown, { headers: PART }) });
    // Who went to another list meanwhile keeps that one.
    const again = (/** @type {{ at: string, html: string }} */ { at, html }) => at === this.#shown && this.#again(html);
    follow(place, ({ moved }) => moved, get, again, signal);
  }

  /** Shows the message of an id. @param {number} id */
  open(id) {
    return this.go(`/inbox/${Number(id)}`);
  }

  #startList() {
    const list = this.root.querySelector("form.list");
    if (list instanceof HTMLFormElement) startChosen(list);
  }

  /** On Campanile's own page: the same list anew. What is looked at stays where it is. @param {Document} page */
  #renew(page) {
    page.querySelector(".notices")?.remove();
    const rows = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("a.open")]);
    const seen = scrollY > 0 ? rows.find((row) => row.getBoundingClientRect().bottom > 0) : undefined;
    const [was, address] = [seen?.getBoundingClientRect().top ?? 0, seen?.getAttribute("href")];
    put(this, page.body.innerHTML);
    this.#startList();
    const is = address && this.querySelector(`a.open[href="${CSS.escape(address)}"]`);
    if (is) scrollBy({ top: is.getBoundingClientRect().top - was, behavior: "instant" });
  }

  /** @param {string} html @param {string} address */
  show(html, address) {
    const { place } = this;
    if (!place) return;
    const isElsewhere = address !== this.#shown;
    this.#shown = address;
    put(place, html);
    this.#startList();
    // A message is read from its beginning.
    if (isElsewhere && this.getBoundingClientRect().top < 0) this.scrollIntoView();
  }

  /** The same anew; the word on what was just done, and its undo, stay. @param {string} html */
  #again(html) {
    const { place } = this;
    const said = place?.querySelector(".notices");
    if (!place) return;
    put(place, html);
    this.#startList();
    if (said?.childElementCount) place.querySelector(".notices")?.replaceWith(said);
  }

  /** @param {unknown} _error */
  fails(_error) {
    const notices = /** @type {HTMLElement | null | undefined} */ (this.place?.querySelector(".notices"));
    notices?.replaceChildren(alertOf(notices.dataset.away ?? ""));
  }
}
