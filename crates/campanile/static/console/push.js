// This browser as a device: registered on a click, and told of itself while its person has pages open.
// @ts-check
import { client } from "../embed/client.js";

/** A push service that does not answer in so long is not there. */
const PATIENCE_MS = 15_000;
/** Who logs out waits no longer than this. */
const LEAVE_MS = 3_000;
/** The server is told so often at most that this browser is in use. */
const HEARD_MS = 10 * 60 * 1_000;
/** Where this browser keeps its id, and when it was last told of. */
const ID = "campanile-device";
const AT = "campanile-device-heard";

/** The one address that may become a script beside the page's own (Trusted Types). */
const policy = globalThis.trustedTypes?.createPolicy("campanile-worker", { createScriptURL: () => "/worker.js" });

/** Whether this browser can be told of anything at all. */
const CAN = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

/** Asks the API. @param {string} path @param {string} method @param {unknown} [body] @returns {Promise<Response>} */
function ask(path, method, body) {
  const headers = body ? { "content-type": "application/json" } : undefined;
  const mine = /** @type {import("../embed/client.js").Campanile} */ (client());
  return mine.fetch(path, { method, headers, body: body ? JSON.stringify(body) : undefined });
}

/** What is waited for, for so long. @template T @param {Promise<T>} promise @param {number} [ms] @returns {Promise<T>} */
function within(promise, ms = PATIENCE_MS) {
  return Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error("away")), ms))]);
}

/** Ends the subscription of this browser. */
async function end() {
  localStorage.removeItem(ID);
  const registration = await navigator.serviceWorker.getRegistration("/");
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** Subscribes and registers; why it did not work, or nothing. @returns {Promise<string>} */
async function begin() {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  try {
    const script = /** @type {string} */ (/** @type {unknown} */ (policy ? policy.createScriptURL("") : "/worker.js"));
    await navigator.serviceWorker.register(script);
    const registration = await within(navigator.serviceWorker.ready);
    const { public_key: applicationServerKey } = await (await ask("/api/v1/push/key", "GET")).json();
    const subscribed = registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    const answer = await ask("/api/v1/me/devices", "POST", (await within(subscribed)).toJSON());
    if (!answer.ok) throw new Error(String(answer.status));
    localStorage.setItem(ID, (await answer.json()).id);
    return "";
  } catch {
    await end().catch(() => {});
    return "away";
  }
}

/** Tells the server that this browser is in use; one that was removed elsewhere ends its subscription. */
export async function heard() {
  const id = CAN ? localStorage.getItem(ID) : null;
  if (!id || Date.now() - Number(localStorage.getItem(AT) ?? 0) < HEARD_MS) return;
  localStorage.setItem(AT, String(Date.now()));
  const answer = await ask(`/api/v1/me/devices/${id}/heard`, "POST").catch(() => null);
  if (answer?.status === 404) await end().catch(() => {});
}

/** Who logs out is told of nothing here any more: somebody else may sit there next. @param {HTMLFormElement} form */
export function leaves(form) {
  form.addEventListener("submit", async (event) => {
    const id = CAN ? localStorage.getItem(ID) : null;
    if (!id) return;
    event.preventDefault();
    await within(Promise.allSettled([ask(`/api/v1/me/devices/${id}`, "DELETE"), end()]), LEAVE_MS).catch(() => {});
    form.submit();
  });
}

/** @param {HTMLElement} element The card of this browser. */
export function start(element) {
  const button = /** @type {HTMLButtonElement} */ (element.querySelector("button"));
  const word = /** @type {HTMLElement} */ (element.querySelector("[data-word]"));
  const says = (/** @type {string} */ what) => (word.textContent = element.getAttribute(`data-${what}`) ?? "");
  if (!CAN) return void says("cannot");
  if (Notification.permission === "denied") return void says("denied");
  const row = document.getElementById(`device-${localStorage.getItem(ID)}`);
  if (row) {
    row.querySelector("[data-this]")?.removeAttribute("hidden");
    return void says("on");
  }
  says("off");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    says("waits");
    const why = await begin();
    if (!why) return location.assign("/me/devices?done=device-on");
    button.disabled = false;
    says(why);
    button.focus();
  });
}
