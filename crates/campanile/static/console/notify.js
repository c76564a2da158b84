// Notifications of the operating system while a page is open: shown by the tab that has the stream, once for each message
// that rings, and closed when it was read or is gone.
// @ts-check
import { isTouched } from "../embed/calm.js";

const CHOICE = "campanile.notify";
/** What one may choose, by the least importance that is shown. */
const LEAST = { all: 0, high: 1, critical: 2, off: 3 };
const RANK = { low: 0, high: 1, critical: 2 };
/** What rings within this is shown together. */
const TOGETHER_MS = 300;
/** More at once are one notification: a device that was away is not flooded. */
const MOST = 3;
/** So many are looked after; the oldest goes. */
const KEPT = 10;
const MANY = "many";

/** @typedef {{ id: number | string, title: string, body: string, path: string, critical: boolean }} Card */

/** @type {Map<number | string, Notification>} */
const shown = new Map();
/** @type {Card[]} */
let waiting = [];
let timer = 0;
let unread = 0;

/** What is chosen on this device. @returns {keyof typeof LEAST} */
export function choice() {
  try {
    const chosen = localStorage.getItem(CHOICE) ?? "off";
    return chosen in LEAST ? /** @type {keyof typeof LEAST} */ (chosen) : "off";
  } catch {
    return "off";
  }
}

/** Whether this browser is registered to be pushed to (`push.js`), as far as it knows. */
function isPushed() {
  try {
    return localStorage.getItem("campanile-device") !== null;
  } catch {
    return false;
  }
}

/** @param {string} chosen */
export const choose = (chosen) => localStorage.setItem(CHOICE, chosen);

/** Hears what the stream says. @param {import("../embed/client.js").Told} told */
export function hear({ name, data }) {
  if (name === "down") return;
  if (name === "message") {
    if (data.change === "gone") return void (forget(data.id), lookAtPushed());
    const { id, title, excerpt, importance } = data;
    const card = { id, title: title || excerpt, body: title ? excerpt : "", path: `/inbox/${id}`, critical: importance === "critical" };
    // A browser that is pushed to is told of what rings by its service worker (`push.js`), and not twice.
    const rings = data.rings && !isPushed() && RANK[importance] >= LEAST[choice()];
    if (!rings && !shown.has(id)) return;
    waiting = [...waiting.filter((other) => other.id !== id), card];
    timer ||= setTimeout(showAll, TOGETHER_MS);
    return;
  }
  // A number that rose comes of what has just rung.
  if (data.unread <= unread || name === "hello") void (look(), lookAtPushed());
  unread = data.unread;
  if (unread === 0) forget(MANY);
}

function showAll() {
  const cards = waiting;
  [timer, waiting] = [0, []];
  if (cards.length <= MOST) return cards.forEach(show);
  const title = (document.getElementById("bell")?.dataset.many ?? "").replace("{n}", String(cards.length));
  show({ id: MANY, title, body: cards.map((card) => card.title).join("\n"), path: "/inbox", critical: false });
}

/** @param {Card} card */
function show({ id, title, body, path, critical }) {
  const again = shown.has(id);
  const options = { body, tag: String(id), lang: document.documentElement.lang, requireInteraction: critical, silent: again };
  let notification;
  try {
    notification = new Notification(title, options);
  } catch {
    // Browsers of phones have the class and refuse it to pages.
    return;
  }
  shown.delete(id);
  shown.set(id, notification);
  notification.addEventListener("close", () => shown.get(id) === notification && shown.delete(id));
  notification.addEventListener("click", () => {
    notification.close();
    focus();
    // What is being written here stays.
    if (isTouched(document.body)) window.open(path, "campanile-message");
    else location.assign(path);
  });
  if (shown.size > KEPT) forget([...shown.keys()][0]);
}

/** @param {number | string} id */
function forget(id) {
  waiting = waiting.filter((card) => card.id !== id);
  shown.get(id)?.close();
  shown.delete(id);
}

/** Has the service worker, if there is one, look at what it shows of what was pushed. */
async function lookAtPushed() {
  const registration = await navigator.serviceWorker?.getRegistration("/").catch(() => undefined);
  registration?.active?.postMessage("look");
}

/** Asks for those that are shown whether they are still to be read. */
async function look() {
  for (const id of [...shown.keys()].filter((id) => id !== MANY)) {
    try {
      const response = await fetch(`/api/v1/inbox/${id}`, { cache: "no-store" });
      const { read, archived, past } = response.ok ? await response.json() : { read: response.status === 404 };
      if (read || archived || past) forget(id);
    } catch {
      // Away for a moment: with the next number.
      return;
    }
  }
}

// No other page could close them.
addEventListener("pagehide", () => [...shown.keys()].forEach(forget));
