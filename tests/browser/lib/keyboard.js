// A person who has a keyboard alone.
// @ts-check
import assert from "node:assert/strict";

/** Presses of Tab until something must have been reached. */
const MOST = 80;

/**
 * Presses Tab until the focus is on something. On the way, the focus is always visible.
 * @param {import("playwright-core").Page} page @param {import("playwright-core").Locator} target
 * @param {string} [key] `Tab` or `Shift+Tab`
 */
export async function tabTo(page, target, key = "Tab") {
  const isThere = () => target.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < MOST && !(await isThere()); presses += 1) {
    await page.keyboard.press(key);
    await focusIsVisible(page);
  }
  assert.ok(await isThere(), `${MOST} times ${key} did not lead to ${target}`);
  await focusIsVisible(page);
}

/**
 * Asserts that one sees where the focus is (WCAG 2.2, 2.4.7 and 2.4.11).
 * @param {import("playwright-core").Page} page
 */
export async function focusIsVisible(page) {
  const seen = await page.evaluate(() => {
    const focused = document.activeElement;
    if (!focused || focused === document.body) return "";
    // A choice in a row of choices is hidden: its label is what one sees.
    const [seen] = [focused, focused.closest("label")].filter((element) => {
      const style = element && getComputedStyle(element);
      return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    });
    const what = `${focused.outerHTML.slice(0, 120)}`;
    if (!seen) return `no outline around ${what}`;
    const { left, top, right, bottom } = seen.getBoundingClientRect();
    const parts = [0.1, 0.5, 0.9];
    const points = parts.flatMap((x) => parts.map((y) => [left + (right - left) * x, top + (bottom - top) * y]));
    const free = points.some(([x, y]) => {
      const at = document.elementFromPoint(x, y);
      return at && (seen.contains(at) || at.contains(seen));
    });
    return free ? "" : `something hides ${what}`;
  });
  assert.equal(seen, "");
}
