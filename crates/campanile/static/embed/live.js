// The live channel: one stream of events for all tabs of a browser. The tab that holds the lock has the stream, and hands
// every event on; when it goes, another takes over and goes on where it ended. A browser keeps few connections to a
// server: where it has no locks (they take https), only a tab that is looked at has a stream, one of its own.
// @ts-check

/** How long to wait after a failure, then after the next. */
const AFTER_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
/** A page goes on where the one before it ended, when that is not longer ago: what is older rings no more. */
const FRESH_MS = 30_000;

/** @typedef {import("./client.js").Campanile} Campanile */
/** @typedef {import("./client.js").Told} Told */

export class Live {
  /** Whether there is a stream, here or in another tab. */
  isOpen = false;
  /** Whether this tab has it. */
  leads = false;

  /** @type {Campanile} */
  #client;
  /** Of whom: tabs of the same person share. */
  #name = "campanile-live";
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {EventSource | undefined} */
  #source;
  /** A turn of opening: what a turn before it brings is not taken. */
  #turn = 0;
  #timer = 0;
  #failures = 0;
  /** The id of the last event. */
  #last = "";
  /** Gives the lock back, or stops waiting for it. */
  #letGo = () => {};

  /** @param {Campanile} client */
  constructor(client) {
    this.#client = client;
  }

  /** @param {AbortSignal} signal ends it */
  async start(signal) {
    if (this.#client.isElsewhere) {
      try {
        this.#name = `campanile-live ${this.#client.server} ${await this.#client.subject()}`;
      } catch {
        // Nobody is signed in at the site: there is nobody to hear for until somebody is.
        const waits = new AbortController();
        this.#client.listen(({ name }) => {
          if (name !== "open") return;
          waits.abort();
          this.start(signal);
        }, waits.signal);
        return;
      }
      if (signal.aborted) return;
    }
    this.#client.listen(({ name }) => name === "open" && this.#retry());
    document.addEventListener("visibilitychange", () => !navigator.locks && this.#look(), { signal });
    addEventListener("pagehide", () => this.#leave(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#enter(), { signal });
    signal.addEventListener("abort", () => this.#leave());
    this.#enter();
  }

  /** Tells this tab. @param {Told["name"]} name @param {any} [data] */
  #tell(name, data) {
    this.isOpen = name !== "down";
    if (name === "hello" || name === "counts") this.#client.says(true);
    this.#client.tell(name, data);
  }

  /** Tells this tab and the others. @param {Told["name"]} name @param {any} [data] */
  #handOn(name, data) {
    this.#channel?.postMessage({ name, data, last: this.#last });
    this.#tell(name, data);
  }

  // -------------------------------------------------------------- the stream

  async #open() {
    if (!this.leads || this.#source) return;
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    const address = new URL("/api/v1/live", this.#client.server);
    if (this.#last) address.searchParams.set("last_event_id", this.#last);
    if (this.#client.isElsewhere) {
      try {
        address.searchParams.set("ticket", (await this.#client.ticket()).ticket);
      } catch {
        if (turn === this.#turn) this.#failed();
        return;
      }
      if (turn !== this.#turn) return;
    }
    const source = new EventSource(address);
    this.#source = source;
    for (const name of /** @type {Told["name"][]} */ (["hello", "message", "counts"])) {
      source.addEventListener(name, (event) => {
        this.#failures = 0;
        this.#last = event.lastEventId || this.#last;
        this.#handOn(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("bye", (event) => this.#later(JSON.parse(event.data).after_ms));
    source.addEventListener("error", () => this.#failed());
  }

  #close() {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#source?.close();
    this.#source = undefined;
  }

  /** @param {number} ms */
  #later(ms) {
    this.#close();
    this.#handOn("down");
    this.#timer = setTimeout(() => this.#open(), ms);
  }

  async #failed() {
    const wait = AFTER_MS[Math.min(this.#failures, AFTER_MS.length - 1)];
    this.#failures += 1;
    // Those who lost the same server do not come back together.
    this.#later(wait * (0.5 + Math.random()));
    await this.#client.refresh();
    if (!this.#client.over) return;
    this.#close();
    this.#channel?.postMessage({ name: "over" });
  }

  // -------------------------------------------------------------- who has it

  /** Holds the lock for as long as the tab is there. */
  #lead() {
    this.leads = true;
    this.#open();
    return /** @type {Promise<void>} */ (new Promise((go) => (this.#letGo = go)));
  }

  /** Hears another tab. @param {MessageEvent} event */
  #heard({ data: said }) {
    if (said.name === "over") return this.#client.says(false);
    if (said.name !== "who") {
      this.#last = said.last;
      return this.#tell(said.name, said.data);
    }
    if (!this.leads) return;
    const data = { ...this.#client.counts, resumed: true };
    if (this.isOpen) this.#channel?.postMessage({ name: "hello", data, last: this.#last });
    // Somebody has logged in again.
    else if (this.#client.over) this.#open();
  }

  #retry() {
    if (this.leads) this.#open();
    else this.#channel?.postMessage({ name: "who" });
  }

  #enter() {
    this.#last = this.#remembered();
    if (!navigator.locks || !globalThis.BroadcastChannel) return this.#look();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.addEventListener("message", (event) => this.#heard(event));
    this.#channel.postMessage({ name: "who" });
    const waits = new AbortController();
    this.#letGo = () => waits.abort();
    navigator.locks.request(this.#name, { signal: waits.signal }, () => this.#lead()).catch(() => {});
  }

  /** Without locks: while the tab is looked at. */
  #look() {
    if (this.#channel) return;
    this.leads = document.visibilityState === "visible";
    if (this.leads) return this.#open();
    this.#close();
    this.#tell("down");
  }

  #leave() {
    if (this.leads && this.isOpen) this.#remember();
    this.#close();
    [this.leads, this.isOpen] = [false, false];
    this.#letGo();
    this.#channel?.close();
    this.#channel = undefined;
  }

  // A browser that keeps nothing for this site goes on without.
  #remember() {
    try {
      localStorage.setItem(this.#name, JSON.stringify({ last: this.#last, at: Date.now() }));
    } catch {}
  }

  #remembered() {
    try {
      const ended = JSON.parse(localStorage.getItem(this.#name) ?? "{}");
      return Date.now() - ended.at < FRESH_MS ? String(ended.last) : "";
    } catch {
      return "";
    }
  }
}
