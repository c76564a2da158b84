// The live channel: one stream of events for all tabs of a browser. The tab that holds the lock has the stream, and hands
// every event on; when it goes, another takes over and goes on where it ended. A browser keeps few connections to a
// server: where it has no locks (they take https), only a tab that is looked at has a stream, one of its own.
// @ts-check
import { isOpen, isOver, over, whenBack } from "./session.js";

const NAME = "campanile-live";
/** How long to wait after a failure, then after the next. */
const AFTER_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
/** A page goes on where the one before it ended, when that is not longer ago: what is older rings no more. */
const FRESH_MS = 30_000;
const ENDED = "campanile.live";

/**
 * @typedef {object} Told
 * @property {"hello" | "message" | "counts" | "down"} name as the server says them; `down` while there is no stream
 * @property {any} data
 * @property {boolean} leads whether this tab has the stream
 * @property {boolean} moved whether what a page shows may be old
 */

/** @type {((told: Told) => void)[]} */
const hearers = [];
/** @type {BroadcastChannel | undefined} */
let channel;
/** @type {EventSource | undefined} */
let source;
let timer = 0;
let failures = 0;
/** The id of the last event. */
let last = "";
/** The numbers as this page knows them. @type {Record<string, number>} */
let numbers = {};
let live = false;
let leads = false;
let greeted = false;
/** @type {Told | undefined} */
let missed;
/** Gives the lock back, or stops waiting for it. */
let letGo = () => {};
/** Asks for the numbers without a stream, and finds out whether the session is over. */
let ask = async () => {};

/** Hears every event, and of a module that comes late whether it has missed something. @param {(told: Told) => void} hear */
export function listen(hear) {
  hearers.push(hear);
  if (missed) hear(missed);
}

/** Whether numbers come by themselves. */
export const isLive = () => live;

/** @param {Told["name"]} name @param {any} data */
function tell(name, data) {
  let moved = name === "message" || name === "counts";
  live = name !== "down";
  if (name === "hello" || name === "counts") {
    isOpen();
    const differs = Object.keys(numbers).some((key) => numbers[key] !== data[key]);
    // The page was made a moment before the first.
    if (name === "hello") moved = differs || (greeted && !data.resumed);
    greeted = true;
    const { unread, unseen, total, banners } = data;
    numbers = { unread, unseen, total, banners };
  }
  const told = { name, data, leads, moved };
  if (moved) missed = told;
  for (const hear of hearers) hear(told);
}

/** Tells this tab and the others. @param {Told["name"]} name @param {any} [data] */
function handOn(name, data) {
  channel?.postMessage({ name, data, last });
  tell(name, data);
}

// ---------------------------------------------------------------- the stream

function open() {
  if (!leads || source) return;
  clearTimeout(timer);
  source = new EventSource(last ? `/api/v1/live?last_event_id=${encodeURIComponent(last)}` : "/api/v1/live");
  for (const name of /** @type {Told["name"][]} */ (["hello", "message", "counts"])) {
    source.addEventListener(name, (event) => {
      failures = 0;
      last = event.lastEventId || last;
      handOn(name, JSON.parse(event.data));
    });
  }
  source.addEventListener("bye", (event) => later(JSON.parse(event.data).after_ms));
  source.addEventListener("error", failed);
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = undefined;
}

/** @param {number} ms */
function later(ms) {
  close();
  handOn("down");
  timer = setTimeout(open, ms);
}

async function failed() {
  const wait = AFTER_MS[Math.min(failures, AFTER_MS.length - 1)];
  failures += 1;
  // Those who lost the same server do not come back together.
  later(wait * (0.5 + Math.random()));
  await ask();
  if (!over()) return;
  close();
  channel?.postMessage({ name: "over" });
}

// ---------------------------------------------------------------- who has it

/** Holds the lock for as long as the tab is there. */
function lead() {
  leads = true;
  open();
  return /** @type {Promise<void>} */ (new Promise((go) => (letGo = go)));
}

/** Hears another tab. @param {MessageEvent} event */
function heard({ data: said }) {
  if (said.name === "over") return isOver();
  if (said.name !== "who") {
    last = said.last;
    return tell(said.name, said.data);
  }
  if (!leads) return;
  if (live) channel?.postMessage({ name: "hello", data: { ...numbers, resumed: true }, last });
  // Somebody has logged in again.
  else if (over()) open();
}

function retry() {
  if (leads) open();
  else channel?.postMessage({ name: "who" });
}

function enter() {
  last = remembered();
  if (!navigator.locks || !globalThis.BroadcastChannel) return look();
  channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", heard);
  channel.postMessage({ name: "who" });
  const waits = new AbortController();
  letGo = () => waits.abort();
  navigator.locks.request(NAME, { signal: waits.signal }, lead).catch(() => {});
}

/** Without locks: while the tab is looked at. */
function look() {
  if (channel) return;
  leads = document.visibilityState === "visible";
  if (leads) return open();
  close();
  tell("down", undefined);
}

function leave() {
  if (leads && live) remember();
  close();
  [leads, live] = [false, false];
  letGo();
  channel?.close();
  channel = undefined;
}

// A browser that keeps nothing for this site goes on without.
function remember() {
  try {
    localStorage.setItem(ENDED, JSON.stringify({ last, at: Date.now() }));
  } catch {}
}

function remembered() {
  try {
    const ended = JSON.parse(localStorage.getItem(ENDED) ?? "{}");
    return Date.now() - ended.at < FRESH_MS ? String(ended.last) : "";
  } catch {
    return "";
  }
}

/** @param {() => Promise<void>} refresh asks for the numbers @param {Record<string, number>} rendered those of the page */
export function start(refresh, rendered) {
  ask = refresh;
  numbers = rendered;
  whenBack(retry);
  document.addEventListener("visibilitychange", () => !navigator.locks && look());
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && enter());
  enter();
}
