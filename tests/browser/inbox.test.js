// The inbox, the bell and the panel under it.
// @ts-check
import assert from "node:assert/strict";
import { directory } from "./lib/directory.js";
import { arrives, expectFault, flow, gone, logIn, settled, shows, visit, withSite } from "./lib/flow.js";

// A person for each test, so that none sees what another one did.
const held = withSite({
  lines: directory("tabs", "finds", "acts", "many", "panel", "polls", "away", "plain", "ends", "wide"),
});

/** @typedef {import("playwright-core").Page} Page */

/** Sends to one person. @param {import("./lib/site.js").Site} site @param {string} login @param {string[]} titles */
async function send(site, login, ...titles) {
  for (const title of titles) {
    const audience = [{ kind: "user", user: `u-${login}` }];
    await site.ask("POST", "/api/v1/messages", { title, text: `About **${title}**.`, audience });
  }
}

const badge = (/** @type {Page} */ page) => page.locator("#bell .badge");
const row = (/** @type {Page} */ page, /** @type {string} */ title) =>
  page.locator("main .item").filter({ hasText: title });
const tab = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.getByRole("main").getByRole("navigation", { name: "Inbox" }).getByRole("link", { name });
const button = (/** @type {import("playwright-core").Locator | Page} */ where, /** @type {string} */ name) =>
  where.getByRole("button", { name, exact: true });

/** What the link does, in a tab that is watched from its beginning. @param {Page} page */
async function inAnotherTab(page) {
  const link = page.getByRole("link", { name: "Log in in another tab" });
  assert.equal(await link.getAttribute("target"), "_blank");
  const other = await page.context().newPage();
  await visit(other, (await link.getAttribute("href")) ?? "");
  return other;
}

flow("each tab shows what belongs there", held, async ({ open }, site) => {
  await send(site, "tabs", "Harbour closed", "Prices in May");
  const page = await open("tabs");
  await visit(page, "/inbox");
  assert.equal(await page.locator("main .item").count(), 2);
  await tab(page, "Unread 2").click();
  await arrives(page, "/inbox?view=unread");
  assert.equal(await page.locator("main .item.unread").count(), 2);
  await tab(page, "Archived").click();
  await shows(page.getByRole("heading"), "The archive is empty");
  await tab(page, "Past").click();
  await shows(page.getByRole("heading"), "Nothing past");
  await tab(page, "All").click();
  await arrives(page, "/inbox");
});

flow("a title that is one long word widens neither the inbox nor the panel", held, async ({ open }, site) => {
  await send(site, "wide", "x".repeat(1000));
  const page = await open("wide");
  await page.setViewportSize({ width: 360, height: 800 });
  await visit(page, "/inbox");
  await page.locator("#bell").click();
  const title = page.locator("#panel .item .t b");
  await shows(title, "xxx");
  const lines = await title.evaluate((cut) => Math.round(cut.clientHeight / parseFloat(getComputedStyle(cut).lineHeight)));
  assert.equal(lines, 3, "the rest is left to the message's own page");
  await settled(page);
});

flow("a search finds words, and says when there are none", held, async ({ open }, site) => {
  await send(site, "finds", "Harbour closed", "Prices in May");
  const page = await open("finds");
  await visit(page, "/inbox");
  await page.getByRole("searchbox", { name: "Search the inbox" }).fill("harbour");
  await page.keyboard.press("Enter");
  await arrives(page, /[?&]q=harbour/);
  await page.getByRole("link", { name: "Unread: Harbour closed" }).waitFor();
  assert.equal(await page.locator("main .item").count(), 1);
  await page.getByRole("searchbox").fill("volcano");
  await button(page, "Search").click();
  await shows(page.getByRole("heading"), "Nothing found");
});

flow("a message is read, archived and deleted, and each of these is undone", held, async ({ open }, site) => {
  await send(site, "acts", "Harbour closed");
  const page = await open("acts");
  await visit(page, "/inbox");
  await shows(badge(page), /^1$/);

  await row(page, "Harbour closed").getByRole("link").click();
  await shows(page.getByRole("heading", { level: 1 }), "Harbour closed");
  await shows(page.locator(".text strong"), "Harbour closed");
  await gone(badge(page));
  await button(page, "Mark unread").click();
  await shows(page.getByRole("status"), "Marked unread.");
  await shows(badge(page), /^1$/);

  for (const [action, said, kept] of [
    ["Mark “Harbour closed” read", "Marked read.", true],
    ["Archive “Harbour closed”", "Archived.", false],
    ["Delete “Harbour closed” for me", "Deleted for you.", false],
  ]) {
    await button(page, String(action)).click();
    await shows(page.getByRole("status"), String(said));
    assert.equal(await row(page, "Harbour closed").count(), kept ? 1 : 0, String(action));
    await gone(badge(page));
    await button(page, "Undo").click();
    await shows(row(page, "Harbour closed"), "Harbour closed");
    await shows(badge(page), /^1$/);
  }
});

flow("many messages are handled at once", held, async ({ open }, site) => {
  await send(site, "many", "One", "Two", "Three");
  const page = await open("many");
  await visit(page, "/inbox");
  const bulk = page.locator("main .bulk");
  await gone(bulk);
  await page.getByRole("checkbox", { name: "Choose “One”" }).check();
  await page.getByRole("checkbox", { name: "Choose “Three”" }).check();
  await button(bulk, "Archive").click();
  await shows(page.getByRole("status"), "2 messages archived.");
  await shows(badge(page), /^1$/);
  await button(page, "Undo").click();
  await shows(page.getByRole("status"), "2 messages are back in the inbox.");
  await shows(badge(page), /^3$/);
  await button(page, "Mark all read").click();
  await shows(page.getByRole("status"), "Everything is marked read.");
  await gone(badge(page));
  assert.equal(await page.locator("main .item.unread").count(), 0);
});

flow("the bell opens a panel, closes it, and marks all read there", held, async ({ open }, site) => {
  await send(site, "panel", "Harbour closed", "Prices in May");
  const page = await open("panel");
  await visit(page, "/inbox?view=archived");
  const bell = page.getByRole("button", { name: "Notifications, 2 unread" });
  const panel = page.locator("#panel");

  await bell.click();
  await shows(panel.locator(".item .t"), "Harbour closed");
  assert.equal(await page.locator("#bell").getAttribute("aria-expanded"), "true");
  await page.keyboard.press("Escape");
  await gone(panel);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "bell");
  await bell.click();
  await shows(panel, "Prices in May");
  await bell.click();
  await gone(panel);

  await bell.click();
  await panel.getByRole("link", { name: "Unread 2" }).click();
  await shows(panel.locator('a[aria-current="page"]'), "Unread 2");
  await button(panel, "Mark all read").click();
  await shows(panel, "You have read everything that was sent to you.");
  await gone(badge(page));
  await button(panel, "Close").click();
  await gone(panel);
  // The page below did not go away for any of this.
  assert.equal(new URL(page.url()).search, "?view=archived");

  await send(site, "panel", "Third");
  await page.reload();
  await settled(page);
  await page.locator("#bell").click();
  await panel.locator(".item", { hasText: "Third" }).click();
  await shows(page.getByRole("heading", { level: 1 }), "Third");
});

flow("without a stream the number on the bell is asked for, and no more once there is one", held, async ({ open }, site) => {
  const page = await open("polls");
  await page.clock.install();
  expectFault(page, /ERR_FAILED/);
  await page.route("**/api/v1/live*", (route) => route.abort());
  await visit(page, "/inbox");
  await page.evaluate(() => document.body.setAttribute("data-same", ""));
  await gone(badge(page));
  const asked = [];
  page.on("response", (response) => response.url().endsWith("/counts") && asked.push(response.status()));
  await page.clock.runFor(31_000);
  await settled(page);
  await page.clock.runFor(31_000);
  await settled(page);
  assert.ok(asked.length > 1 && asked.every((status) => status === 304), asked.join());

  await send(site, "polls", "Harbour closed");
  await page.clock.runFor(31_000);
  await shows(badge(page), /^1$/);
  assert.equal(await page.title(), "(1) Inbox · Campanile");
  await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();

  await page.unroute("**/api/v1/live*");
  const stream = page.waitForResponse("**/api/v1/live*");
  await page.clock.runFor(46_000);
  await stream;
  await send(site, "polls", "Prices in May");
  await shows(badge(page), /^2$/);
  await settled(page);
  asked.length = 0;
  await page.clock.runFor(61_000);
  await settled(page);
  assert.deepEqual(asked, []);
  assert.equal(await page.locator("body[data-same]").count(), 1, "the page was loaded again");
});

flow("who comes back to the page sees the number at once", held, async ({ open }, site) => {
  const page = await open("away");
  await visit(page, "/inbox");
  await send(site, "away", "Harbour closed");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await shows(badge(page), /^1$/);
});

flow("without scripts the inbox does the same", held, async ({ open }, site) => {
  await send(site, "plain", "Harbour closed", "Prices in May");
  const page = await open("plain", { javaScriptEnabled: false });
  await visit(page, "/inbox?view=archived");
  await page.getByRole("link", { name: "Notifications, 2 unread" }).click();
  await arrives(page, "/inbox");
  await page.getByRole("checkbox", { name: "Choose “Prices in May”" }).check();
  await button(page.locator(".bulk"), "Archive").click();
  await shows(page.getByRole("status"), "Archived.");
  await shows(badge(page), /^1$/);
  await button(page, "Undo").click();
  await shows(badge(page), /^2$/);
  await button(page, "Mark all read").click();
  await gone(badge(page));
});

flow("a session that ends leads to the log-in, and back, and takes nothing away", held, async ({ open }) => {
  const page = await open(null);
  await visit(page, "/inbox?view=unread");
  await arrives(page, "/login?next=%2Finbox%3Fview%3Dunread");
  await logIn(page, "ends", "not the password");
  await shows(page.getByRole("alert"), "Login or password is wrong");
  expectFault(page, /status of 422/);
  await logIn(page, "ends");
  await arrives(page, "/inbox?view=unread");
  await settled(page);

  const other = await page.context().newPage();
  await visit(other, "/inbox");
  await other.locator("summary").click();
  await button(other, "Log out").click();
  await shows(other.getByRole("status"), "You are logged out.");

  expectFault(page, /status of 401/);
  await page.getByRole("searchbox").fill("typed");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await shows(page.locator("#notices .over"), "Your session is over.");
  // The panel cannot come either, and the page stays.
  await page.locator("#bell").click();
  await gone(page.locator("#panel"));
  assert.equal(await page.getByRole("searchbox").inputValue(), "typed");
  const login = await inAnotherTab(page);
  await logIn(login, "ends");
  await login.locator("#bell").waitFor();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await gone(page.locator("#notices .over"));
});

flow("a panel that cannot be fetched says so, and the page stays", held, async ({ open }) => {
  const page = await open("away");
  await visit(page, "/inbox");
  await page.getByRole("searchbox").fill("typed");
  expectFault(page, /ERR_FAILED/);
  await page.route("**/bell", (route) => route.abort());
  await page.locator("#bell").click();
  await shows(page.locator("#panel").getByRole("alert"), "The server cannot be reached.");
  assert.equal(await page.getByRole("searchbox").inputValue(), "typed");
});
