// What the elements have in common: they show a part of a page that the server renders, follow what moves, and do what its
// links and forms ask for, without the page being left.
//
// On Campanile's own pages an element has the attribute `light`: the server has rendered what is in it, and it works
// without a script. Elsewhere an element asks the server for the same HTML and shows it in a shadow root, so that the
// styles of the page and its own do not meet.
// @ts-check
import { client, connect, whenConnected } from "./client.js";
import { PART, fetchAnswer, fieldsOf, put } from "./fragment.js";

const STYLES = ["parts.css", "banner.css"];
/** Where links of an element lead to within it. */
const INSIDE = /^\/(inbox|bell)(\/|$)/;
const MESSAGE = /^\/inbox\/(\d+)$/;
/** What an address says of what was just done. */
const OF_THE_MOMENT = ["done", "n", "ids", "gone", "undo"];

/** @typedef {import("./client.js").Campanile} Campanile */

/**
 * Signs in who is signed in at the site, where no script does: the page's own server has a token for them.
 * @param {HTMLElement} element
 */
function connectAsTold(element) {
  const address = element.getAttribute("token-url");
  if (address === null || client()) return;
  const token = async () => {
    const response = await fetch(address, { cache: "no-store" });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${address}`);
    return text.trim();
  };
  const [server, language] = ["server", "language"].map((name) => element.getAttribute(name) ?? undefined);
  // When all elements of the page are there.
  queueMicrotask(() => client() || connect({ server, token, language }).start());
}

export class CampanileElement extends HTMLElement {
  /** Where it shows what it shows: itself, or its shadow root. @type {HTMLElement | ShadowRoot} */
  root = this;
  /** The client of the page, while somebody is signed in. @type {Campanile | undefined} */
  client;
  /** In a shadow root, what is put in place anew. @type {HTMLElement | undefined} */
  place;
  /** Aborted when it leaves the page, or somebody else is signed in. */
  #ended = new AbortController();
  #left = new AbortController();
  /** @type {Promise<unknown> | undefined} */
  #styled;
  /** @type {HTMLElement | null | undefined} */
  #word;
  #turn = 0;

  get isLight() {
    return this.hasAttribute("light");
  }

  connectedCallback() {
    if (!this.isLight && !this.shadowRoot) this.#build();
    this.#left = new AbortController();
    whenConnected((client) => this.#meet(client), this.#left.signal);
    connectAsTold(this);
  }

  disconnectedCallback() {
    this.#left.abort();
    this.#ended.abort();
  }

  /** @param {Campanile | undefined} client */
  async #meet(client) {
    this.#ended.abort();
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    this.client = client;
    this.place?.replaceChildren();
    this.removeAttribute("over");
    if (!client) return;
    client.listen(({ name }) => {
      if (name === "over" || name === "open") this.toggleAttribute("over", name === "over");
    }, signal);
    try {
      await this.#styled;
      if (!signal.aborted) await this.start(signal);
    } catch {
      // Away for a moment, or nobody is signed in: with the next event.
      client.listen(({ name }) => name === "hello" && !signal.aborted && this.#meet(client), signal);
    }
  }

  /**
   * Begins to show what is the person's. Each element does it in its way.
   * @param {AbortSignal} _signal ends it
   * @returns {Promise<void> | void}
   */
  start(_signal) {}

  /** The shadow root, shown once it has its styles. */
  #build() {
    this.root = this.attachShadow({ mode: "open" });
    this.place = document.createElement("div");
    this.place.setAttribute("part", "content");
    const loaded = STYLES.map((name) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(name, import.meta.url).href });
      this.root.append(link);
      return new Promise((go) => ["load", "error"].forEach((event) => link.addEventListener(event, go)));
    });
    this.#styled = Promise.all(loaded);
    this.root.append(this.place);
    this.place.addEventListener("click", (event) => this.#clicked(event));
    this.place.addEventListener("submit", (event) => this.submitted(/** @type {SubmitEvent} */ (event)));
  }

  // -------------------------------------------------------------- links and forms

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = /** @type {Element} */ (event.target).closest("a[href]");
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    if (url.origin !== this.client?.server || !INSIDE.test(url.pathname)) return;
    event.preventDefault();
    this.follows(url);
  }

  /** Follows a link within the element. @param {URL} url */
  follows(url) {
    const id = messageOf(url);
    if (!id || this.opens(id)) this.go(url.pathname + url.search);
  }

  /** Whether a message is opened by an element: the page may do it in a way of its own. @param {number} id */
  opens(id) {
    return this.dispatchEvent(new CustomEvent("campanile-open", { detail: { id }, bubbles: true, composed: true, cancelable: true }));
  }

  /** Does what a form asks for. @param {SubmitEvent} event */
  submitted(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const by = /** @type {HTMLButtonElement | null} */ (event.submitter);
    // A field named "action" hides the property of that name.
    const address = by?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    const fields = fieldsOf(form, by);
    if (form.getAttribute("method") === "get") this.go(`${address}?${fields}`);
    else this.go(address, { method: "POST", body: fields });
  }

  /**
   * Shows what is at an address of the server, or says that it is away. A later turn wins.
   * @param {string} address @param {RequestInit} [init]
   */
  async go(address, init) {
    const turn = ++this.#turn;
    const { client, busy } = this;
    busy?.setAttribute("aria-busy", "true");
    try {
      const response = await fetchAnswer(address, { ...init, headers: PART });
      const html = await response.text();
      if (client === this.client && turn === this.#turn) await this.show(html, addressOf(response));
    } catch (error) {
      if (client === this.client) this.fails(error);
    } finally {
      busy?.removeAttribute("aria-busy");
    }
    // Where no stream tells it.
    if (init && !client?.isLive) await client?.refresh();
  }

  /** What is busy while something is asked for. @returns {Element | null | undefined} */
  get busy() {
    return this.place;
  }

  /** Shows an answer. @param {string} html @param {string} _address where it is from @returns {Promise<void> | void} */
  show(html, _address) {
    if (this.place) put(this.place, html);
  }

  /** Says that the server is away. @param {unknown} _error */
  fails(_error) {}

  /** Says something to who does not see it. @param {string} words */
  tell(words) {
    this.#word ??= this.isLight ? document.getElementById("told") : this.#wordOfItsOwn();
    if (this.#word) this.#word.textContent = words;
  }

  #wordOfItsOwn() {
    const word = Object.assign(document.createElement("p"), { className: "sr" });
    word.setAttribute("role", "status");
    this.root.append(word);
    return word;
  }
}

/** The id of the message that a link leads to; none is `NaN`. @param {URL} url */
export const messageOf = (url) => Number(MESSAGE.exec(url.pathname)?.[1]);

/** The address of an answer, without what was just done there. @param {Response} response */
function addressOf(response) {
  const url = new URL(response.url);
  for (const name of OF_THE_MOMENT) url.searchParams.delete(name);
  return url.pathname + url.search;
}

/** A word that something did not work. @param {string} text */
export function alertOf(text) {
  const words = Object.assign(document.createElement("p"), { className: "say bad", textContent: text });
  words.setAttribute("role", "alert");
  return words;
}
