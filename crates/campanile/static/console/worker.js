// The service worker: shows what is pushed while no page is looked at. It keeps nothing and answers no request.
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
  const shown = await worker.registration.getNotifications();
  for (const one of shown) {
    const isOfIt = one.tag === how.tag || one.data?.message === about.message;
    if (about.kind === "recalled" && isOfIt) one.close();
  }
  if (about.kind === "recalled" || (await isLookedAt())) return;
  const isLate = Date.now() - Date.parse(about.sent_at) > LATE_MS && !how.requireInteraction;
  const isMore = isLate && shown.some((/** @type {Notification} */ one) => one.tag === LATE);
  await worker.registration.showNotification(isMore ? about.summary : title, {
    ...how,
    body: isMore ? title : how.body,
    tag: isLate ? LATE : how.tag,
    data: { ...about, navigate: isMore ? "/inbox" : navigate },
  });
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
