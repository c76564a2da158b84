// The bell: its number, as the live channel tells it, and the panel under it.
// @ts-check
import { follow } from "./calm.js";
import { fetchPart, fieldsOf, load, put } from "./fragment.js";
import { isLive, listen, start as startLive } from "./live.js";
import { isOpen, isOver, over } from "./session.js";

/** How often the number is asked for, of a page that is looked at, while there is no stream. */
const EVERY_MS = 30_000;
const bell = document.getElementById("bell");
const panel = document.getElementById("panel");
const badge = bell?.querySelector(".badge");
const fresh = bell?.querySelector(".fresh");
const title = document.title;
let tag = "";
let shown = "/bell";
let known = Number(bell?.dataset.unread ?? 0);

/**
 * Shows a number on the bell and before the page's title, and a dot while something is new.
 * @param {number} unread @param {number} unseen
 */
function show(unread, unseen) {
  if (!bell || !badge) return;
  badge.textContent = unread > 99 ? "99+" : String(unread);
  badge.toggleAttribute("hidden", unread === 0);
  fresh?.toggleAttribute("hidden", unseen === 0);
  const some = unseen > 0 ? bell.dataset.labelNew : bell.dataset.labelSome;
  const label = unread === 0 ? bell.dataset.labelNone : some?.replace("{n}", String(unread));
  bell.setAttribute("aria-label", label ?? "");
  document.title = unread === 0 ? title : `(${unread}) ${title}`;
  // Who does not see the number hears of a new message.
  const told = document.getElementById("told");
  if (told && unread > known && unseen > 0) told.textContent = (bell.dataset.more ?? "").replace("{n}", String(unread));
  known = unread;
}

/** Asks for the number; costs next to nothing where it has not changed. */
export async function refresh() {
  try {
    const response = await fetch("/api/v1/inbox/counts", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (response.status === 401) {
      isOver();
      return void response.body?.cancel();
    }
    isOpen();
    if (!response.ok) return;
    tag = response.headers.get("ETag") ?? "";
    const { unread, unseen } = await response.json();
    show(unread, unseen);
  } catch {
    // Away for a moment: the next turn asks again.
  }
}

/** Does something with the panel; where it fails, the panel says so. @param {() => Promise<void>} work */
async function inPanel(work) {
  if (!panel) return;
  try {
    await work();
  } catch {
    // The page below says that the session is over.
    if (over()) return panel.hidePopover();
    const place = document.getElementById("notices");
    const words = Object.assign(document.createElement("p"), { className: "say bad", textContent: place?.dataset.away ?? "" });
    words.setAttribute("role", "alert");
    panel.querySelector(":scope > .say")?.remove();
    panel.prepend(words);
  }
}

/** Puts the panel in place anew, scrolled as it was. @param {string} html */
function renew(html) {
  if (!panel?.matches(":popover-open")) return;
  const place = () => panel.querySelector(".scroll");
  const top = place()?.scrollTop ?? 0;
  put(panel, html);
  place()?.scrollTo({ top });
}

function open() {
  if (!panel) return;
  panel.showPopover();
  bell?.setAttribute("aria-expanded", "true");
  return inPanel(async () => {
    await load(panel, shown);
    /** @type {HTMLElement | null} */ (panel.querySelector("a, button"))?.focus();
    await refresh();
  });
}

/** @param {HTMLElement} bell @param {HTMLElement} panel */
function startPanel(bell, panel) {
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
    inPanel(async () => {
      const wanted = link.getAttribute("href") ?? "/bell";
      await load(panel, wanted);
      shown = wanted;
    });
  });
  panel.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    inPanel(async () => {
      // Its field named "action" hides the property of that name.
      await fetchPart(form.getAttribute("action") ?? "", { method: "POST", body: fieldsOf(form, event.submitter) });
      await load(panel, shown);
      await refresh();
    });
  });
  follow(panel, ({ moved }) => moved && panel.matches(":popover-open"), () => fetchPart(shown), renew);
}

/** Follows the numbers. @param {HTMLElement} bell */
function startNumbers(bell) {
  const [unread, unseen] = [Number(bell.dataset.unread), Number(bell.dataset.unseen)];
  if (unread > 0) show(unread, unseen);
  listen(({ name, data }) => {
    if (name === "hello" || name === "counts") show(data.unread, data.unseen);
  });
  const isLooked = () => document.visibilityState === "visible";
  setInterval(() => isLooked() && !isLive() && refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => isLooked() && refresh());
  startLive(refresh, { unread, unseen });
}

export function start() {
  if (bell && panel && "popover" in panel) startPanel(bell, panel);
  if (bell) startNumbers(bell);
}
