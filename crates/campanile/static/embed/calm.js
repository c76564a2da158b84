// A part of a page that is put in place anew when something moves: while it is looked at, and nobody has something in
// hand there.
// @ts-check
import { client } from "./client.js";

/** Pages that hear of the same do not ask together. */
const SOON_MS = 100;
const SPREAD_MS = 400;
const AGAIN_MS = 1_000;

let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressed = false), true);

/** Whether a field is not as it came. @param {Element} field */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  }
  const { type, checked, defaultChecked, value, defaultValue } = /** @type {HTMLInputElement} */ (field);
  return ["checkbox", "radio"].includes(type) ? checked !== defaultChecked : value !== defaultValue;
}

/** Whether somebody has typed, ticked or chosen something in a part. @param {Element} part */
export const isTouched = (part) => [...part.querySelectorAll("input, textarea, select")].some(isChanged);

/** Whether it would be taken from somebody. @param {Element} part */
function isBusy(part) {
  const { activeElement } = /** @type {Document | ShadowRoot} */ (part.getRootNode());
  const focused = part.contains(activeElement) ? activeElement : null;
  const types = focused?.matches("textarea, select, input:not([type=checkbox], [type=radio])");
  return pressed || types || part.querySelector("details[open]") !== null || isTouched(part);
}

/**
 * Keeps a part as the server has it.
 * @template T
 * @param {Element} part
 * @param {(told: import("./client.js").Told) => boolean} moves whether an event is one of this part's
 * @param {() => Promise<T>} get
 * @param {(got: T) => unknown} place `false` where something else stands there by now
 * @param {AbortSignal} [signal] ends it
 */
export function follow(part, moves, get, place, signal) {
  let timer = 0;
  let stale = false;
  const wait = (/** @type {number} */ ms) => (timer ||= setTimeout(look, ms));
  const look = async () => {
    try {
      if (!stale || signal?.aborted || document.visibilityState !== "visible") return;
      if (isBusy(part)) return;
      stale = false;
      const got = await get();
      if (signal?.aborted) return;
      if (isBusy(part) || (await place(got)) === false) stale = true;
    } catch {
      // Away for a moment: with the next event.
    } finally {
      timer = 0;
      if (stale && document.visibilityState === "visible") wait(AGAIN_MS);
    }
  };
  client()?.listen((told) => {
    if (!moves(told)) return;
    stale = true;
    wait(SOON_MS + Math.random() * SPREAD_MS);
  }, signal);
  document.addEventListener("visibilitychange", () => stale && wait(0), { signal });
  signal?.addEventListener("abort", () => (stale = false));
}
