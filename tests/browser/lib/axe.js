// Accessibility rules by axe-core, and pictures.
// @ts-check
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What can be wrong in one theme alone. */
const OF_COLOURS = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
const PICTURES = fileURLToPath(new URL("../../../artifacts/browser/", import.meta.url));

/**
 * What axe finds wrong. It is put in place by the debugger's protocol: the page's content policy stays on.
 * @param {import("playwright-core").Page} page
 * @param {{ within?: string, colours?: boolean }} [what] a part of the page, and whether only colours are judged
 * @returns {Promise<string[]>}
 */
export async function axe(page, { within = "html", colours = false } = {}) {
  const session = await page.context().newCDPSession(page);
  const ask = async (/** @type {string} */ expression) => {
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  if (!(await ask("'axe' in window"))) await ask(`${SOURCE};0`);
  const options = JSON.stringify({ runOnly: colours ? OF_COLOURS : RULES, resultTypes: ["violations"], preload: false });
  const found = await ask(`axe.run(${JSON.stringify(within)}, ${options}).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map((node) =>
      id + ": " + node.target.join(" ") + ": " + node.failureSummary)))`);
  await session.detach();
  return found;
}

/** Keeps a picture of the whole page. @param {import("playwright-core").Page} page @param {string} name */
export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}
