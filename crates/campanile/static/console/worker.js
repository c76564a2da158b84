// The service worker: shows what is pushed while no page is looked at, and closes what was read elsewhere whenever it is
// awake: nobody wakes it for that, since browsers take a site's subscription whose pushes show nothing. It keeps nothing and
// answers no request.
// @ts-check
/** @typedef {{ kind: string, message: number, sent_at: string, summary: string }} About */
const worker = /** @type {any} */ (self);

/** What comes so much later than it was sent was waiting for this device. */
const LATE_MS = 10 * 60 * 1_000;
/** The name of the one notification of what was waiting. */
const LATE = "late";

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(told(event.data)));
// A page of ours has heard that something was read.
worker.addEventListener("message", (/** @type {any} */ event) => event.waitUntil(all().then(look)));
worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.navigate));
});

/** Shows, replaces or takes away. @param {{ json(): any } | null} data */
async function told(data) {
  const { notification, app_badge: badge } = data?.json() ?? {};
  if (!notification) return;
  if ("setAppBadge" in navigator) await /** @type {any} */ (navigator).setAppBadge(badge).catch(() => {});
  const { title, navigate, ...how } = notification;
  const about = /** @type {About} */ (how.data);
  const shown = await all();
  for (const one of shown) {
    const isOfIt = one.tag === how.tag || one.data?.message === about.message;
    if (about.kind === "recalled" && isOfIt) one.close();
  }
  if (about.kind === "recalled" || (await isLookedAt())) return look(shown);
  const isLate = Date.now() - Date.parse(about.sent_at) > LATE_MS && !how.requireInteraction;
  const isMore = isLate && shown.some((one) => one.tag === LATE);
  const tag = isLate ? LATE : how.tag;
  const [kind, to] = isMore ? ["more", "/inbox"] : [about.kind, navigate];
  const options = { ...how, body: isMore ? title : how.body, tag, data: { ...about, kind, navigate: to } };
  const others = shown.filter((one) => one.tag !== tag);
  // A browser that shows as many as it shows at once waits until one is closed.
  await Promise.all([worker.registration.showNotification(isMore ? about.summary : title, options), look(others)]);
}

/** What is shown. Not while something is about to be: Chromium would forget it. @returns {Promise<Notification[]>} */
const all = () => worker.registration.getNotifications();

/** Closes what was read elsewhere, or is over. @param {Notification[]} shown */
const look = (shown) => Promise.all(shown.map(async (one) => (await isOver(one.data ?? {})) && one.close()));

/** Whether it says nothing any more that the person does not know. @param {About} about */
async function isOver({ kind, message }) {
  try {
    const answer = await fetch(kind === "more" ? "/api/v1/inbox/counts" : `/api/v1/inbox/${message}`, { cache: "no-store" });
    if (!answer.ok) return answer.status === 404;
    const { unread, read, archived, past } = await answer.json();
    return unread === 0 || read || archived || past;
  } catch {
    // Away for a moment: the next time.
    return false;
  }
}

/** Whether somebody looks at a page of ours, where the bell says it. */
async function isLookedAt() {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return pages.some((/** @type {any} */ page) => page.visibilityState === "visible" && page.focused);
}

/** Brings a page of ours to the front, or opens one. @param {string | undefined} navigate */
async function open(navigate) {
  const address = new URL(navigate ?? "/inbox", worker.location.origin);
  const pages = await worker.clients.matchAll({ type: "window" });
  const page = pages.find((/** @type {any} */ one) => new URL(one.url).origin === address.origin);
  if (!page) return worker.clients.openWindow(address.href);
  await page.focus();
  await page.navigate(address.href);
}
