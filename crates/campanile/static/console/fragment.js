// Parts of pages that the server renders and a script puts in place. The one place that writes HTML: what it writes
// comes from this server, which escapes what people typed.
// @ts-check
import { isOpen, isOver } from "./session.js";

/** The policy by which HTML may be written (Trusted Types), where the browser has them. */
const policy = globalThis.trustedTypes?.createPolicy("campanile", { createHTML: (html) => html });

/**
 * Fetches a part of a page from this server.
 * @param {string} address @param {RequestInit} [init]
 * @returns {Promise<string>}
 */
export async function fetchPart(address, init) {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) throw new Error("not from this server");
  const response = await fetch(url, { credentials: "same-origin", ...init });
  // A log-in page where a part was expected: the session is over.
  if (response.status === 401 || (response.redirected && new URL(response.url).pathname === "/login")) {
    isOver();
    response.body?.cancel();
    throw new Error("the session is over");
  }
  isOpen();
  if (!response.ok && response.status !== 422) throw new Error(String(response.status));
  return response.text();
}

/**
 * Fetches a page of this server, to take parts out of it.
 * @param {string} address @param {RequestInit} [init]
 */
export async function fetchPage(address, init) {
  const html = await fetchPart(address, init);
  const trusted = /** @type {string} */ (/** @type {unknown} */ (policy ? policy.createHTML(html) : html));
  return new DOMParser().parseFromString(trusted, "text/html");
}

/** By what one finds again what had the focus. @param {Element} element */
function keyOf(element) {
  const form = element instanceof HTMLButtonElement ? element.form : null;
  const parts = ["href", "name", "value"].map((name) => element.getAttribute(name));
  return [element.tagName, element.getAttribute("formaction") ?? form?.getAttribute("action"), ...parts].join("\n");
}

/**
 * What was there before, in a part that was put in place anew.
 * @param {Element} target @param {Element} before @param {string} key
 */
function again(target, before, key) {
  if (before.id) return document.getElementById(before.id);
  return /** @type {HTMLElement[]} */ ([...target.querySelectorAll("a, button, input")]).find((one) => keyOf(one) === key);
}

/**
 * Puts a part in place. The focus stays where it was: on what is the same, else on the part's heading. What was typed
 * into a field of the part since it was asked for stays too.
 * @param {Element} target @param {string} html
 */
export function put(target, html) {
  const focused = target.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const key = focused ? keyOf(focused) : "";
  const { selectionStart, selectionEnd } = /** @type {any} */ (focused ?? {});
  const fields = /** @type {HTMLInputElement[]} */ ([...target.querySelectorAll("input[id]:not([type=hidden])")]);
  const typed = fields.filter((field) => field.value !== field.defaultValue).map(({ id, value }) => ({ id, value }));
  target.innerHTML = /** @type {string} */ (/** @type {unknown} */ (policy ? policy.createHTML(html) : html));
  for (const { id, value } of typed) {
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement) field.value = value;
  }
  if (!focused) return;
  const same = again(target, focused, key);
  const next = same ?? /** @type {HTMLElement | null} */ (target.querySelector("h1, h2, h3"));
  if (next && !same) next.tabIndex = -1;
  next?.focus();
  if (same instanceof HTMLInputElement && selectionStart !== null) same.setSelectionRange(selectionStart, selectionEnd);
}

/** Starts the modules that a part brings, by name. @param {ParentNode} part */
export function startModules(part) {
  for (const element of part.querySelectorAll("[data-module]")) {
    import(`./${element.getAttribute("data-module")}.js`).then((module) => module.start(element));
  }
}

/** Fetches a part and puts it in place. @param {Element} target @param {string} address @param {RequestInit} [init] */
export async function load(target, address, init) {
  target.setAttribute("aria-busy", "true");
  try {
    put(target, await fetchPart(address, init));
  } finally {
    target.removeAttribute("aria-busy");
  }
}

/**
 * The fields of a form, as a browser would send them.
 * @param {HTMLFormElement} form @param {HTMLElement | null} [by] @param {string} [act]
 */
export function fieldsOf(form, by, act) {
  const data = new FormData(form, by ?? undefined);
  if (act) data.set("do", act);
  return new URLSearchParams(/** @type {[string, string][]} */ ([...data].filter(([, value]) => typeof value === "string")));
}
