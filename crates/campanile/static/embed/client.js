// The headless client: who is signed in, requests in their name, the numbers of the bell, and what moves. The elements are
// made of it, and a site that draws all by itself needs nothing else.
// @ts-check
import { Live } from "./live.js";

/** How often the numbers are asked for, of a page that is looked at, while there is no stream. */
const EVERY_MS = 30_000;
/** A token that ends this soon is not used any more. */
const MARGIN_MS = 30_000;

/**
 * @typedef {object} Options
 * @property {string} [server] where Campanile is, `https://messages.example.com`; where this script is from, if absent
 * @property {() => string | Promise<string>} [token] a site's token (a JWT) of who is signed in, new at each call; without
 *   it the cookie of Campanile's own pages decides
 * @property {string} [language] of texts, such as `de`; that of the page where absent
 */

/**
 * @typedef {object} Counts
 * @property {number} unread the number on the bell
 * @property {number} unseen how many came since the inbox was opened
 * @property {number} total how many the inbox holds
 * @property {number} banners how many stand as banners
 */

/**
 * @typedef {object} Told something that happened
 * @property {"hello" | "message" | "counts" | "down" | "over" | "open"} name `hello`, `message` and `counts` as the server
 *   says them; `down` while there is no stream; `over` and `open` when who is signed in is not any more, or again
 * @property {any} data
 * @property {boolean} leads whether this tab has the stream
 * @property {boolean} moved whether what a page shows may be old
 */

/** A site's token and when it ends. @typedef {{ text: string, until: number, subject: string }} Token */

export class Campanile {
  /** The numbers of the bell, once they are known. @type {Partial<Counts> | undefined} */
  counts;
  /** Whether who was signed in is not any more. */
  over = false;
  /** Where Campanile is. */
  server;

  #language;
  #token;
  /** @type {Token | undefined} */
  #held;
  /** The one that was asked for: who asks meanwhile waits for the same. @type {Promise<Token> | undefined} */
  #asked;
  /** @type {Set<(told: Told) => void>} */
  #hearers = new Set();
  /** What a hearer that comes late has missed. @type {Told | undefined} */
  #missed;
  #live;
  #tag = "";
  #greeted = false;
  #ended = new AbortController();

  /** @param {Options} [options] */
  constructor({ server, token, language } = {}) {
    this.server = new URL(server || import.meta.url).origin;
    this.#token = token;
    this.#language = language;
    this.#live = new Live(this);
  }

  /** Whether numbers come by themselves. */
  get isLive() {
    return this.#live.isOpen;
  }

  /** Whether the person is known by a site's token, and not by the cookie of Campanile's own pages. */
  get isElsewhere() {
    return this.#token !== undefined;
  }

  /** Opens the live channel; asks now and then where there is none. @param {Partial<Counts>} [known] what the page shows already */
  start(known) {
    this.counts ??= known;
    const { signal } = this.#ended;
    const isLooked = () => document.visibilityState === "visible";
    const timer = setInterval(() => isLooked() && !this.isLive && this.refresh(), EVERY_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    document.addEventListener("visibilitychange", () => isLooked() && this.refresh(), { signal });
    this.#live.start(signal);
    return this;
  }

  /** Ends everything: nothing is told any more. */
  stop() {
    this.#ended.abort();
    this.#hearers.clear();
  }

  /**
   * Hears of everything that happens; of what was missed at once.
   * @param {(told: Told) => void} hear
   * @param {AbortSignal} [signal] ends it
   */
  listen(hear, signal) {
    this.#hearers.add(hear);
    signal?.addEventListener("abort", () => this.#hearers.delete(hear));
    if (this.#missed) hear(this.#missed);
  }

  // -------------------------------------------------------------- requests

  /**
   * A request to the server in the name of who is signed in.
   * @param {string} address @param {RequestInit} [init] @returns {Promise<Response>}
   */
  async fetch(address, init) {
    const url = new URL(address, this.server);
    if (url.origin !== this.server) throw new Error("not of this server");
    let response = await this.#ask(url, init);
    if (response.status === 401 && this.#held) {
      // The site may have changed its key.
      this.#held = undefined;
      response.body?.cancel();
      response = await this.#ask(url, init);
    }
    // A log-in page where something else was expected.
    const isLogIn = response.redirected && new URL(response.url).pathname === "/login";
    this.says(response.status !== 401 && !isLogIn);
    return response;
  }

  /** @param {URL} url @param {RequestInit} [init] */
  async #ask(url, init) {
    if (!this.#token) return fetch(url, { credentials: "same-origin", ...init });
    const headers = new Headers(init?.headers);
    headers.set("Authorization", `Bearer ${(await this.#hold()).text}`);
    headers.set("Accept-Language", this.#language || document.documentElement.lang || navigator.language);
    headers.set("Campanile-Zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
    return fetch(url, { ...init, headers, credentials: "omit" });
  }

  /** The site's token, as long as it is good. @returns {Promise<Token>} */
  #hold() {
    if (this.#held && this.#held.until - MARGIN_MS > Date.now()) return Promise.resolve(this.#held);
    this.#asked ??= this.#fresh().finally(() => (this.#asked = undefined));
    return this.#asked;
  }

  /** @returns {Promise<Token>} */
  async #fresh() {
    try {
      const text = await /** @type {NonNullable<Options["token"]>} */ (this.#token)();
      const { exp, sub } = JSON.parse(atob(text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
      return (this.#held = { text, until: exp * 1_000, subject: String(sub) });
    } catch (error) {
      this.says(false);
      throw error;
    }
  }

  /** Who is signed in, where a site says so: tabs of one person share a stream. */
  async subject() {
    return this.#token ? (await this.#hold()).subject : "";
  }

  /** Whether an answer says that somebody is signed in. @param {boolean} isOpen */
  says(isOpen) {
    if (this.over === !isOpen) return;
    this.over = !isOpen;
    this.tell(isOpen ? "open" : "over");
  }

  /** As JSON. @param {string} address @param {RequestInit} [init] @returns {Promise<any>} */
  async #json(address, init) {
    const response = await this.fetch(address, init);
    if (!response.ok) {
      response.body?.cancel();
      throw Object.assign(new Error(`${response.status} ${address}`), { status: response.status });
    }
    return response.status === 204 ? undefined : response.json();
  }

  // -------------------------------------------------------------- the inbox

  /** Asks for the numbers; costs next to nothing where they have not changed. */
  async refresh() {
    try {
      const headers = this.#tag ? { "If-None-Match": this.#tag } : undefined;
      const response = await this.fetch("/api/v1/inbox/counts", { headers, cache: "no-store" });
      if (!response.ok) return void response.body?.cancel();
      this.#tag = response.headers.get("ETag") ?? "";
      this.tell("counts", await response.json(), false);
    } catch {
      // Away for a moment: the next turn asks again.
    }
  }

  /**
   * A page of the inbox: `GET /api/v1/inbox`.
   * @param {{ view?: string, importance?: string, q?: string, cursor?: string, limit?: number }} [wanted]
   */
  inbox(wanted = {}) {
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
    return this.#json(`/api/v1/inbox?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`);
  }

  /** One message. Looking at it marks nothing. @param {number} id */
  message(id) {
    return this.#json(`/api/v1/inbox/${Number(id)}`);
  }

  /**
   * Does something with messages, for this person: `read`, `unread`, `archive`, `unarchive`, `delete`, `restore`, `dismiss`,
   * `show`, `acknowledge`.
   * @param {number | number[]} ids at most 1,000 @param {string} action
   */
  act(ids, action) {
    return this.#post("/api/v1/inbox", { action, ids: [ids].flat() });
  }

  /** Marks everything read up to a page of the inbox that was shown. @param {{ revision: number, as_of: string }} page */
  readAll({ revision, as_of }) {
    return this.#post("/api/v1/inbox", { action: "read", view: "inbox", up_to: revision, as_of });
  }

  /** The inbox was opened: nothing is new any more. */
  seen() {
    return this.#json("/api/v1/inbox/seen", { method: "POST" });
  }

  /** A ticket for one stream, where a header cannot be sent. @returns {Promise<{ ticket: string }>} */
  ticket() {
    return this.#json("/api/v1/live/tickets", { method: "POST" });
  }

  /** @param {string} address @param {unknown} body */
  #post(address, body) {
    return this.#json(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  // -------------------------------------------------------------- what happens

  /**
   * Tells all who listen.
   * @param {Told["name"]} name @param {any} [data] @param {boolean} [moved] whether it tells of a change by itself
   */
  tell(name, data, moved = name === "message" || name === "counts") {
    if (name === "hello" || name === "counts") {
      const { unread, unseen, total, banners } = data;
      const fresh = { unread, unseen, total, banners };
      const { counts } = this;
      moved ||= counts !== undefined && Object.keys(counts).some((key) => fresh[key] !== undefined && counts[key] !== fresh[key]);
      // The page was made a moment before the first.
      if (name === "hello") moved ||= this.#greeted && !data.resumed;
      this.#greeted ||= name === "hello";
      this.counts = { ...counts, ...fresh };
    }
    const told = { name, data, leads: this.#live.leads, moved };
    if (moved) this.#missed = told;
    for (const hear of this.#hearers) hear(told);
  }
}

// ---------------------------------------------------------------- the client of this page

/** @type {Campanile | undefined} */
let shared;
/** @type {Set<(client: Campanile | undefined) => void>} */
const waiting = new Set();

/** The client that the elements of this page share. */
export const client = () => shared;

/** Signs somebody in: all elements of this page show what is theirs. @param {Options} [options] @returns {Campanile} */
export function connect(options) {
  shared?.stop();
  shared = new Campanile(options);
  for (const hear of waiting) hear(shared);
  return shared;
}

/** Signs them out: the elements show nothing. */
export function disconnect() {
  shared?.stop();
  shared = undefined;
  for (const hear of waiting) hear(undefined);
}

/**
 * Calls with the client of this page, now and whenever it is another one.
 * @param {(client: Campanile | undefined) => void} hear @param {AbortSignal} signal ends it
 */
export function whenConnected(hear, signal) {
  waiting.add(hear);
  signal.addEventListener("abort", () => waiting.delete(hear));
  if (shared) hear(shared);
}
