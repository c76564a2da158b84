// What every page is checked for can fail: each check sees a page that was broken for it.
// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe } from "./lib/axe.js";
import { expectFault, flow, loaded, visit, withSite } from "./lib/flow.js";
import { focusIsVisible, tabTo } from "./lib/keyboard.js";
import { overflow } from "./lib/look.js";
import { verdict } from "./lib/watch.js";

const held = withSite();

/** @typedef {import("playwright-core").Page} Page */

/** Puts something into the page before the server's answer arrives. @param {Page} page @param {string} html */
async function breakPage(page, html) {
  await page.route("**/inbox", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace("<h1 ", `${html}<h1 `) });
  });
}

/**
 * Serves a script or a style beside those of the server.
 * @param {Page} page @param {string} name @param {string} body
 */
async function addAsset(page, name, body) {
  const contentType = name.endsWith(".css") ? "text/css" : "text/javascript";
  await page.route(`**/${name}`, (route) => route.fulfill({ contentType, body }));
}

const SCRIPT = '<script defer src="/broken.js"></script>';
const STYLE = '<link rel="stylesheet" href="/broken.css">';
const FOREIGN = "http://127.0.0.1:1";
const LATE = `const late = () => { document.getElementById("late").textContent = "x ".repeat(2000); };
  requestAnimationFrame(() => requestAnimationFrame(late));`;

/**
 * What it is, what is put into the page, a script or style of it, the faults.
 * @type {[string, string, string, RegExp[]][]}
 */
const BROKEN = [
  ["a line on the console", SCRIPT, "console.warn('careful')", [/^console: careful/]],
  ["a script that fails", SCRIPT, "throw new Error('broken')", [/^script: broken/]],
  ["a script that fails late", SCRIPT, "Promise.reject(new Error('late'))", [/^script: late/]],
  ["an inline script", "<script>1</script>", "",
    [/^policy: script-src-elem refuses inline/, /^console: .*inline script/]],
  ["an inline style", '<p style="color: red">x</p>', "",
    [/^policy: style-src-attr refuses inline/, /^console: .*inline style/]],
  ["HTML written by a script", SCRIPT, "document.querySelector('h1').innerHTML = '<b>x</b>'",
    [/^policy: require-trusted-types-for/, /^console: .*TrustedHTML/, /^script: .*TrustedHTML/]],
  ["something of another server", `<img alt="x" src="${FOREIGN}/x.png">`, "",
    [/^policy: img-src refuses/, /^console: .*127\.0\.0\.1:1\//, /^foreign: /]],
  ["something that moves the page late", `<div id="late"></div>${SCRIPT}`, LATE,
    [/^layout shift: 0\.\d+ at \/inbox: /]],
  ["something wide", `${STYLE}<div class="wide">x</div>`, ".wide { width: 3000px }",
    [/^overflow: \/inbox: 3\d\d\d in 1/]],
];

for (const [what, html, asset, faults] of BROKEN) {
  flow(`${what} is a fault`, held, async ({ open }) => {
    const page = await open("una");
    await addAsset(page, html.includes(STYLE) ? "broken.css" : "broken.js", asset);
    await breakPage(page, html);
    for (const fault of faults) expectFault(page, fault);
    await visit(page, "/inbox");
  });
}

test("what was expected is no fault, and what was expected in vain is one", () => {
  assert.deepEqual(verdict(["console: 422", "console: 500"], [/422/]), ["console: 500"]);
  assert.deepEqual(verdict([], [/422/]), ["expected, and did not happen: /422/"]);
});

flow("a page that weighs too much is a fault", held, async ({ open }) => {
  const page = await open("una");
  expectFault(page, /^weight: 1\d{5} bytes at .*\/inbox$/);
  await breakPage(page, `<p hidden>${"x".repeat(100 * 1024)}</p>`);
  await visit(page, "/inbox");
});

flow("the weight is that of the page with its style and scripts", held, async ({ open }) => {
  const page = await open("una");
  await visit(page, "/inbox");
  const bytes = loaded(page)?.bytes ?? 0;
  const parts = await page.evaluate(() =>
    ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type)).map(
      (/** @type {any} */ part) => part.encodedBodySize));
  const bodies = parts.reduce((sum, part) => sum + part, 0);
  assert.ok(parts.length >= 5 && bodies > 20_000, `${parts}`);
  assert.ok(bytes > bodies && bytes < bodies * 1.3, `${bytes} bytes, bodies of ${bodies}`);
});

flow("axe finds what is wrong", held, async ({ open }) => {
  const page = await open("una");
  await breakPage(page, '<img src="/icon.svg"><input name="x"><main>second</main>');
  expectFault(page, /status of 404/);
  await visit(page, "/inbox");
  const rules = (await axe(page)).map((found) => found.split(":")[0]);
  await page.evaluate(() => (document.querySelector("h1").style.color = "#ddd"));
  assert.match((await axe(page, { colours: true })).join(), /^color-contrast: h1/);
  assert.deepEqual(await axe(page, { within: ".bar" }), []);
  for (const rule of ["image-alt", "label", "landmark-no-duplicate-main"]) {
    assert.ok(rules.includes(rule), `${rule} in ${rules}`);
  }
});

flow("what is too wide is measured", held, async ({ open }) => {
  const page = await open("una");
  await visit(page, "/inbox");
  assert.equal(await overflow(page), 0);
  await page.evaluate(() => {
    document.body.appendChild(document.createElement("pre")).textContent = "x".repeat(999);
  });
  assert.ok((await overflow(page)) > 1000);
});

flow("a focus that cannot be seen is a fault", held, async ({ open }) => {
  const page = await open("una");
  await addAsset(page, "broken.css", "main :focus-visible { outline: none }");
  await breakPage(page, STYLE);
  await visit(page, "/inbox");
  const search = page.getByRole("button", { name: "Search" });
  await assert.rejects(tabTo(page, search), /no outline around <input type="search"/);

  await visit(page, "/inbox?view=unread");
  await tabTo(page, search);
  await page.evaluate(() => {
    const cover = document.body.appendChild(document.createElement("div"));
    Object.assign(cover.style, { position: "fixed", inset: "0", zIndex: "9" });
  });
  await assert.rejects(focusIsVisible(page), /something hides <button/);
});
