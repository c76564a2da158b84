// Parts of pages that the server renders and a script puts in place. The one place that writes HTML: what it writes
// comes from Campanile's server, which escapes what people typed.
// @ts-check
import { client } from "./client.js";

/** The policy by which HTML may be written (Trusted Types), where the browser has them. */
const policy = globalThis.trustedTypes?.createPolicy("campanile", { createHTML: (html) => html });
const trusted = (/** @type {string} */ html) =>
  /** @type {string} */ (/** @type {unknown} */ (policy ? policy.createHTML(html) : html));

/** Asks for a part of a page, without bar and frame. */
export const PART = { "Campanile-Part": "1" };

/**
 * Fetches a part of a page from the server.
 * @param {string} address @param {RequestInit} [init]
 * @returns {Promise<string>}
 */
export async function fetchPart(address, init) {
  return (await fetchAnswer(address, init)).text();
}

/**
 * Fetches a part, or a page, with where it came from: a form leads on.
 * @param {string} address @param {RequestInit} [init]
 */
export async function fetchAnswer(address, init) {
  const mine = client();
  if (!mine) throw new Error("nobody is signed in");
  const response = await mine.fetch(address, init);
  if (mine.over) {
    response.body?.cancel();
    throw new Error("the session is over");
  }
  if (!response.ok && response.status !== 422) {
    response.body?.cancel();
    throw new Error(String(response.status));
  }
  return response;
}

/**
 * Fetches a page of the server, to take parts out of it.
 * @param {string} address @param {RequestInit} [init]
 */
export async function fetchPage(address, init) {
  return new DOMParser().parseFromString(trusted(await fetchPart(address, init)), "text/html");
}

/** The document, or the shadow root, that an element is in. @param {Node} node */
const rootOf = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode());

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
  if (before.id) return rootOf(target).getElementById(before.id);
  return /** @type {HTMLElement[]} */ ([...target.querySelectorAll("a, button, input")]).find((one) => keyOf(one) === key);
}

/**
 * Puts a part in place. The focus stays where it was: on what is the same, else on the part's heading. What was typed
 * into a field of the part since it was asked for stays too.
 * @param {Element} target @param {string} html
 */
export function put(target, html) {
  const root = rootOf(target);
  const focused = target.contains(root.activeElement) ? /** @type {HTMLElement} */ (root.activeElement) : null;
  const key = focused ? keyOf(focused) : "";
  const { selectionStart, selectionEnd } = /** @type {any} */ (focused ?? {});
  const fields = /** @type {HTMLInputElement[]} */ ([...target.querySelectorAll("input[id]:not([type=hidden])")]);
  const typed = fields.filter((field) => field.value !== field.defaultValue).map(({ id, value }) => ({ id, value }));
  target.innerHTML = trusted(html);
  if (root instanceof ShadowRoot) lead(target);
  for (const { id, value } of typed) {
    const field = root.getElementById(id);
    if (field instanceof HTMLInputElement) field.value = value;
  }
  if (!focused) return;
  const same = again(target, focused, key);
  const next = same ?? /** @type {HTMLElement | null} */ (target.querySelector("h1, h2, h3"));
  if (next && !same) next.tabIndex = -1;
  next?.focus();
  if (same instanceof HTMLInputElement && selectionStart !== null) same.setSelectionRange(selectionStart, selectionEnd);
}

/** On a page of another site, Campanile's links lead to Campanile. @param {Element} part */
function lead(part) {
  for (const link of part.querySelectorAll('a[href^="/"]')) {
    link.setAttribute("href", new URL(link.getAttribute("href") ?? "", client()?.server).href);
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
