// What makes the console's pages quicker and handier. Each page works without it.
// @ts-check
import "../embed/campanile.js";
import { connect } from "../embed/client.js";
import { start as startSession } from "./session.js";

document.documentElement.classList.add("js");

// The browser's zone, for readers whose profile names none.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`campanile_zone=${zone}`)) {
  document.cookie = `campanile_zone=${zone}; Path=/; SameSite=Lax; Max-Age=31536000`;
}

// Somebody is signed in where there is a bell.
const bell = document.getElementById("bell");
const client = connect();
startSession(client);
if (bell) client.start({ unread: Number(bell.dataset.unread), unseen: Number(bell.dataset.unseen) });

// Few browsers are registered to be pushed to: they tell that they are in use.
try {
  if (bell && localStorage.getItem("campanile-device")) {
    import("./push.js").then(({ heard, leaves }) => {
      heard();
      leaves(/** @type {HTMLFormElement} */ (document.querySelector('form[action="/logout"]')));
    });
  }
} catch {
  // Storage is closed to this page: nothing was registered from it.
}

// Where the console is installed, its icon says the number.
if ("setAppBadge" in navigator) {
  client.listen(({ leads, data }) => leads && data && "unread" in data && navigator.setAppBadge(data.unread).catch(() => {}));
}

// Few pages have anything to notify: the tab that has the stream, where somebody has allowed it.
client.listen((told) => {
  const may = told.leads && globalThis.Notification?.permission === "granted";
  if (may) import("./notify.js").then(({ hear }) => hear(told));
});

// A menu closes when the pointer or the focus leaves it, and on Escape.
const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu instanceof HTMLDetailsElement && !menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
});
menu?.addEventListener("focusout", (event) => {
  const to = /** @type {FocusEvent} */ (event).relatedTarget;
  if (menu instanceof HTMLDetailsElement && to instanceof Node && !menu.contains(to)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu instanceof HTMLDetailsElement && menu.open) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// Where tabs do not fit beside one another, the one that is shown is in sight.
for (const current of document.querySelectorAll("nav [aria-current]")) {
  const row = /** @type {HTMLElement} */ (current.closest("nav"));
  const { left, right } = current.getBoundingClientRect();
  if (right > row.getBoundingClientRect().right || left < 0) row.scrollLeft += left - row.getBoundingClientRect().left - 40;
}

// A form is sent once, however often its button is pressed; again after a while, where its sending was stopped. A key in
// the form tells the server that it is the same one.
const AGAIN_MS = 5_000;
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  // What opens beside it leaves the form as it is.
  const isBeside = /** @type {HTMLButtonElement | null} */ (event.submitter)?.formTarget === "_blank";
  if (event.defaultPrevented || form.method === "get" || isBeside) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => form.removeAttribute("data-sent"), AGAIN_MS);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => form.removeAttribute("data-sent")));

// Parts of pages bring their own modules, by name.
for (const element of document.querySelectorAll("[data-module]")) {
  import(`./${element.getAttribute("data-module")}.js`).then((module) => module.start(element));
}
