// Parts of pages that the server renders and a script puts in place. The one place that writes HTML: what it writes
// comes from this server, which escapes what people typed.
// @ts-check

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
  if (response.redirected && new URL(response.url).pathname === "/login") location.reload();
  if (!response.ok && response.status !== 422) throw new Error(String(response.status));
  return response.text();
}

/** Puts a part in place, and keeps the focus where it was. @param {Element} target @param {string} html */
export function put(target, html) {
  const focused = target.contains(document.activeElement) ? document.activeElement?.id : "";
  target.innerHTML = /** @type {string} */ (/** @type {unknown} */ (policy ? policy.createHTML(html) : html));
  if (focused) document.getElementById(focused)?.focus();
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

/** The fields of a form, as a browser would send them. @param {HTMLFormElement} form @param {HTMLElement | null} [by] */
export function fieldsOf(form, by) {
  const data = new FormData(form, by ?? undefined);
  return new URLSearchParams(/** @type {[string, string][]} */ ([...data].filter(([, value]) => typeof value === "string")));
}
