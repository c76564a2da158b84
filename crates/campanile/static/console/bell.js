// The bell: its number, asked for while the page is looked at, and the panel under it.
// @ts-check
import { fetchPart, fieldsOf, load } from "./fragment.js";

const EVERY_MS = 30_000;
const bell = document.getElementById("bell");
const panel = document.getElementById("panel");
const badge = bell?.querySelector(".badge");
const title = document.title;
let tag = "";
let shown = "/bell";

/** Shows a number on the bell and before the page's title. @param {number} unread */
function show(unread) {
  if (!bell || !badge) return;
  badge.textContent = unread > 99 ? "99+" : String(unread);
  badge.toggleAttribute("hidden", unread === 0);
  const label = unread === 0 ? bell.dataset.labelNone : bell.dataset.labelSome?.replace("{n}", String(unread));
  bell.setAttribute("aria-label", label ?? "");
  document.title = unread === 0 ? title : `(${unread}) ${title}`;
}

/** Asks for the number; costs next to nothing where it has not changed. */
export async function refresh() {
  try {
    const response = await fetch("/api/v1/inbox/counts", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (response.status === 401) location.reload();
    if (!response.ok) return;
    tag = response.headers.get("ETag") ?? "";
    show((await response.json()).unread);
  } catch {
    // Away for a moment: the next turn asks again.
  }
}

async function open() {
  if (!panel) return;
  panel.showPopover();
  bell?.setAttribute("aria-expanded", "true");
  try {
    await load(panel, shown);
    panel.querySelector("a, button")?.focus();
    await refresh();
  } catch {
    location.assign("/inbox");
  }
}

export function start() {
  if (!bell || !panel || !("popover" in panel)) return;
  bell.setAttribute("role", "button");
  bell.setAttribute("aria-haspopup", "dialog");
  bell.setAttribute("aria-expanded", "false");
  // A popover that closes on the press would be opened again by the click that follows.
  let wasOpen = false;
  bell.addEventListener("pointerdown", () => (wasOpen = panel.matches(":popover-open")));
  const toggle = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (wasOpen || panel.matches(":popover-open")) panel.hidePopover();
    else open();
    wasOpen = false;
  };
  bell.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    toggle(event);
  });
  bell.addEventListener("keydown", (event) => event.key === " " && toggle(event));
  panel.addEventListener("toggle", () => {
    const isOpen = panel.matches(":popover-open");
    bell.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen && (panel.contains(document.activeElement) || document.activeElement === document.body)) bell.focus();
  });
  panel.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[data-fragment]");
    if (!link) return;
    event.preventDefault();
    shown = link.getAttribute("href") ?? "/bell";
    load(panel, shown);
  });
  panel.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    // Its field named "action" hides the property of that name.
    await fetchPart(form.getAttribute("action") ?? "", { method: "POST", body: fieldsOf(form, event.submitter) });
    await load(panel, shown);
    await refresh();
  });
  const first = Number(badge?.textContent?.replace("+", "") ?? 0);
  if (first > 0) show(first);
  setInterval(() => document.visibilityState === "visible" && refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
}
