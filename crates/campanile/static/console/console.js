// What makes the console's pages quicker and handier. Each page works without it.
// @ts-check
import { start as startBell } from "./bell.js";

document.documentElement.classList.add("js");

// The browser's zone, for readers whose profile names none.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`campanile_zone=${zone}`)) {
  document.cookie = `campanile_zone=${zone}; Path=/; SameSite=Lax; Max-Age=31536000`;
}

startBell();

// The environment changes when it is chosen.
document.querySelector("[data-switch] select")?.addEventListener("change", (event) => {
  const form = /** @type {HTMLSelectElement} */ (event.target).form;
  form?.append(Object.assign(document.createElement("input"), { type: "hidden", name: "back", value: location.pathname }));
  form?.requestSubmit();
});

// A menu closes when the pointer or the focus leaves it, and on Escape.
const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu instanceof HTMLDetailsElement && !menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
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

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method === "get") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => form.removeAttribute("data-sent")));

// Parts of pages bring their own modules, by name.
for (const element of document.querySelectorAll("[data-module]")) {
  import(`./${element.getAttribute("data-module")}.js`).then((module) => module.start(element));
}
