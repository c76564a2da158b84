// <campanile-bell>: the number of unread messages, and the panel under it.
// @ts-check
import { follow } from "./calm.js";
import { CampanileElement, alertOf } from "./element.js";
import { PART, fetchPart, put } from "./fragment.js";

/** Pixels between the bell and its panel, and between the panel and the window's edge. */
const GAP = 8;

export class CampanileBell extends CampanileElement {
  /** What the panel shows. */
  #shown = "/bell";
  /** What was unread when it was last told. */
  #known = 0;
  #title = document.title;
  /** A popover that closes on the press would be opened again by the click that follows. */
  #wasOpen = false;

  get #bell() {
    return /** @type {HTMLElement | null} */ (this.root.querySelector(".bell"));
  }

  get #panel() {
    return /** @type {HTMLElement | null} */ (this.root.querySelector(".panel"));
  }

  get #isOpen() {
    return this.#panel?.matches(":popover-open") ?? false;
  }

  /** @param {AbortSignal} signal */
  async start(signal) {
    const { client, place } = this;
    if (!client) return;
    if (place) {
      const html = await fetchPart("/bell/button", { headers: PART });
      if (signal.aborted) return;
      put(place, html);
    }
    const [bell, panel] = [this.#bell, this.#panel];
    if (!bell || !panel) return;
    const { unread, unseen } = { unread: Number(bell.dataset.unread), unseen: Number(bell.dataset.unseen) };
    this.#known = unread;
    if (unread > 0) this.#show(unread, unseen);
    if ("popover" in panel) this.#wire(bell, panel, signal);
    client.listen(({ name, data }) => {
      if (name === "hello" || name === "counts") this.#show(data.unread, data.unseen);
      if (name === "over") panel.hidePopover?.();
    }, signal);
  }

  /**
   * Shows a number on the bell and before the page's title, and fills the bell while something is new.
   * @param {number} unread @param {number} unseen
   */
  #show(unread, unseen) {
    const bell = this.#bell;
    const badge = bell?.querySelector(".badge");
    if (!bell || !badge) return;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.toggleAttribute("hidden", unread === 0);
    bell.querySelector(".fresh")?.toggleAttribute("hidden", unseen === 0);
    const some = unseen > 0 ? bell.dataset.labelNew : bell.dataset.labelSome;
    const label = unread === 0 ? bell.dataset.labelNone : some?.replace("{n}", String(unread));
    bell.setAttribute("aria-label", label ?? "");
    if (this.isLight) document.title = unread === 0 ? this.#title : `(${unread}) ${this.#title}`;
    // Who does not see the number hears of a new message.
    if (unread > this.#known && unseen > 0) this.tell((bell.dataset.more ?? "").replace("{n}", String(unread)));
    this.#known = unread;
  }

  // -------------------------------------------------------------- the panel

  /** @param {HTMLElement} bell @param {HTMLElement} panel @param {AbortSignal} signal */
  #wire(bell, panel, signal) {
    bell.setAttribute("role", "button");
    bell.setAttribute("aria-haspopup", "dialog");
    bell.setAttribute("aria-expanded", "false");
    bell.addEventListener("pointerdown", () => (this.#wasOpen = this.#isOpen), { signal });
    const toggle = (/** @type {Event} */ event) => {
      event.preventDefault();
      if (this.#wasOpen || this.#isOpen) panel.hidePopover();
      else this.open();
      this.#wasOpen = false;
    };
    bell.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      toggle(event);
    }, { signal });
    bell.addEventListener("keydown", (event) => event.key === " " && toggle(event), { signal });
    panel.addEventListener("toggle", () => {
      bell.setAttribute("aria-expanded", String(this.#isOpen));
      const { activeElement } = /** @type {Document | ShadowRoot} */ (panel.getRootNode());
      const isLost = !activeElement || activeElement === document.body || panel.contains(activeElement);
      if (!this.#isOpen && isLost) bell.focus();
    }, { signal });
    if (this.isLight) this.#wireLight(panel, signal);
    const get = async () => ({ at: this.#shown, html: await fetchPart(this.#shown, { headers: PART }) });
    // Who went to another list meanwhile keeps that one.
    const place = (/** @type {{ at: string, html: string }} */ { at, html }) => at === this.#shown && this.#renew(html);
    follow(panel, ({ moved }) => moved && this.#isOpen, get, place, signal);
  }

  /**
   * On Campanile's own pages links lead there; those of the panel's tabs, and its forms, do not leave the page.
   * @param {HTMLElement} panel @param {AbortSignal} signal
   */
  #wireLight(panel, signal) {
    panel.addEventListener("click", (event) => {
      const link = /** @type {Element} */ (event.target).closest("a[data-fragment]");
      if (!link) return;
      event.preventDefault();
      this.go(link.getAttribute("href") ?? "/bell");
    }, { signal });
    panel.addEventListener("submit", (event) => this.submitted(event), { signal });
  }

  /** Opens the panel: with the list, or with the message of an id. @param {number} [id] */
  async open(id) {
    const [bell, panel] = [this.#bell, this.#panel];
    if (!bell || !panel) return;
    this.#shown = id === undefined ? "/bell" : `/inbox/${Number(id)}?back=/bell`;
    if (!this.isLight) this.#stand(bell, panel);
    panel.showPopover();
    bell.setAttribute("aria-expanded", "true");
    await this.go(this.#shown);
    /** @type {HTMLElement | null} */ (panel.querySelector("a, button"))?.focus();
    await this.client?.refresh();
  }

  /** Where the panel stands on a page of another site: under the bell, wherever that is. @param {HTMLElement} bell @param {HTMLElement} panel */
  #stand(bell, panel) {
    const { bottom, top, right } = bell.getBoundingClientRect();
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const wide = Math.min(420, width - 2 * GAP);
    const below = height - bottom > height / 2;
    const left = Math.min(Math.max(right - wide, GAP), width - wide - GAP);
    const room = (below ? height - bottom : top) - 2 * GAP;
    const vertical = below ? { top: `${bottom + GAP}px`, bottom: "auto" } : { top: "auto", bottom: `${height - top + GAP}px` };
    Object.assign(panel.style, { left: `${left}px`, right: "auto", width: `${wide}px`, maxHeight: `${room}px`, ...vertical });
  }

  /** Puts the panel in place anew, scrolled as it was. @param {string} html */
  #renew(html) {
    const panel = this.#panel;
    if (!panel || !this.#isOpen) return;
    const place = () => panel.querySelector(".scroll");
    const top = place()?.scrollTop ?? 0;
    put(panel, this.#framed(html));
    place()?.scrollTo({ top });
  }

  get busy() {
    return this.#panel;
  }

  /** A message leads back to the list in the panel. @param {URL} url */
  follows(url) {
    if (url.pathname.startsWith("/inbox/") && !url.searchParams.has("back")) url.searchParams.set("back", this.#shown);
    super.follows(url);
  }

  /** @param {string} html @param {string} address */
  show(html, address) {
    const panel = this.#panel;
    if (!panel) return;
    this.#shown = address;
    put(panel, this.#framed(html));
  }

  /** What is not the panel's own list stands in it with an edge. @param {string} html */
  #framed(html) {
    return /^\/bell(\?|$)/.test(this.#shown) ? html : `<div class="scroll inside">${html}</div>`;
  }

  /** @param {unknown} _error */
  fails(_error) {
    const panel = this.#panel;
    // The page below says that the session is over.
    if (this.client?.over) panel?.hidePopover();
    if (!panel || this.client?.over) return;
    panel.querySelector(":scope > .say")?.remove();
    panel.prepend(alertOf(this.#bell?.dataset.away ?? ""));
  }
}
