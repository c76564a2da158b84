// A page looked at as people see it: wide and narrow, light and dark, judged by axe, with a picture of each.
// @ts-check
import assert from "node:assert/strict";
import { axe, picture } from "./axe.js";
import { visit } from "./flow.js";

/** @typedef {import("playwright-core").Page} Page */

const WIDTHS = [1280, 390];
const NARROWEST = 360;

/**
 * Looks at an address. The page has nothing in its cache, so that its weight is that of a first visit.
 * @param {Page} page @param {string} path @param {string} name of the pictures
 * @param {object} [more]
 * @param {(page: Page) => Promise<void>} [more.ready] what is done there before it is looked at
 * @param {number} [more.status] the answer's
 * @param {string} [more.within] the part that axe judges, where something lies over the rest
 */
export async function look(page, path, name, { ready, status = 200, within } = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  for (const width of WIDTHS) {
    const where = `${path}, ${width} pixels`;
    await page.setViewportSize({ width, height: width > 800 ? 860 : 844 });
    await page.emulateMedia({ colorScheme: "light" });
    await visit(page, path, status);
    await ready?.(page);
    // What sticks to the lower edge of the window lies over nothing then.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height });
    await still(page);
    assert.deepEqual(await axe(page, { within }), [], where);
    await picture(page, `${name}-${width}-light`);
    await page.emulateMedia({ colorScheme: "dark" });
    await still(page);
    assert.deepEqual(await axe(page, { within, colours: true }), [], `${where}, dark`);
    await picture(page, `${name}-${width}-dark`);
  }
  await page.setViewportSize({ width: NARROWEST, height: 740 });
  assert.equal(await overflow(page), 0, `${path} is wider than ${NARROWEST} pixels`);
  await session.detach();
}

/** Waits until colours and places have changed to what they will be. @param {Page} page */
const still = (page) =>
  page.evaluate(async () => {
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    const shadows = [...document.querySelectorAll("*")].flatMap(({ shadowRoot }) => shadowRoot ?? []);
    const moving = [document, ...shadows].flatMap((root) => root.getAnimations());
    await Promise.allSettled(moving.map((animation) => animation.finished));
  });

/** By how many pixels a page is wider than the window. @param {Page} page @returns {Promise<number>} */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What moves on a page, as durations of its styles say. @param {Page} page @returns {Promise<string[]>} */
export const moving = (page) =>
  page.evaluate(() => {
    const moves = (/** @type {CSSStyleDeclaration} */ style) =>
      [style.transitionDuration, style.animationDuration].some((value) => /[1-9]/.test(value)) ||
      style.scrollBehavior === "smooth";
    const all = [...document.querySelectorAll("*")];
    return all.filter((element) => moves(getComputedStyle(element))).map((element) => element.className.toString());
  });
