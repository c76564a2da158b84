// Notifications of the operating system on this device: asked for on a click, and chosen by importance.
// @ts-check
import { choice, choose } from "./notify.js";

/** What can be done here. */
function state() {
  if (!isSecureContext) return "insecure";
  return "Notification" in globalThis ? Notification.permission : "unsupported";
}

/** @param {HTMLElement} card */
export async function start(card) {
  const show = () => {
    const now = state();
    for (const part of card.querySelectorAll("[data-state]")) part.toggleAttribute("hidden", part.getAttribute("data-state") !== now);
    for (const one of /** @type {NodeListOf<HTMLInputElement>} */ (card.querySelectorAll("input"))) {
      // As it came: nothing is waiting to be sent.
      one.defaultChecked = one.checked = one.value === choice();
    }
    card.hidden = false;
  };
  card.querySelector("button")?.addEventListener("click", async () => {
    const answer = await Notification.requestPermission();
    if (answer === "granted" && choice() === "off") choose("all");
    show();
    /** @type {HTMLElement | null} */ (card.querySelector("input:checked"))?.focus();
  });
  card.addEventListener("change", (event) => {
    choose(/** @type {HTMLInputElement} */ (event.target).value);
    show();
  });
  show();
  // Also where it is allowed or taken back in the browser's settings.
  const permission = await navigator.permissions?.query({ name: "notifications" }).catch(() => undefined);
  permission?.addEventListener("change", show);
}
