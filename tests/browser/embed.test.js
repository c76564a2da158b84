// Bell, inbox and banners on a page of another origin, under a strict content policy: the example of the repository.
// @ts-check
import assert from "node:assert/strict";
import { after } from "node:test";
import { directory } from "./lib/directory.js";
import { expectFault, flow, gone, shows, visit, withSite } from "./lib/flow.js";
import { openHost } from "./lib/host.js";
import { look } from "./lib/look.js";

/** How soon a bell has rung. */
const SOON_MS = 1_000;

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./lib/site.js").Site} Site */
/** @typedef {import("./lib/host.js").Host} Host */

/** @type {Host} */
let host;
const held = withSite({
  lines: directory("looks", "rings", "reads", "sorts", "stands", "leaves", "speaks", "later", "opens"),
  prepare: async (site) => {
    host = await openHost(site);
  },
});
after(() => host?.close());

/** Sends to one person. @param {Site} site @param {string} login @param {object} message @returns {Promise<string>} */
async function send(site, login, message) {
  const audience = [{ kind: "user", user: `u-${login}` }];
  const { id } = await site.ask("POST", "/api/v1/messages", { text: "What it is about.", audience, ...message });
  return id;
}

/** Somebody signed in at the host. @param {import("./lib/flow.js").Reception} reception @param {string} login @param {object} [options] */
async function guest({ open }, login, options = {}) {
  const page = await open(null, { baseURL: host.origin, ...options });
  await page.context().addCookies([{ name: "user", value: `u-${login}`, url: host.origin }]);
  return page;
}

const badge = (/** @type {Page} */ page) => page.locator("campanile-bell .badge");
const panel = (/** @type {Page} */ page) => page.locator("campanile-bell .panel");
const inbox = (/** @type {Page} */ page) => page.locator("campanile-inbox");

flow("the page of a site shows bell, inbox and banners", held, async (reception, site) => {
  await send(site, "looks", { title: "Harbour closed", text: "From **noon** on:\n\n- north\n- south", importance: "critical" });
  await send(site, "looks", { title: "New prices", text: "As of May." });
  const page = await guest(reception, "looks");
  await look(page, "/", "embed", { ready: (page) => shows(inbox(page), "Harbour closed") });
  await look(page, "/", "embed-panel", {
    ready: async (page) => {
      await page.locator("campanile-bell .bell").click();
      await shows(panel(page), "New prices");
    },
  });
  await look(page, "/", "embed-message", {
    ready: async (page) => {
      await inbox(page).getByRole("link", { name: /Harbour closed/ }).click();
      await shows(inbox(page).getByRole("listitem"), "north");
    },
  });
});

flow("it rings there as it does in the console, over one stream for all tabs, and no token is in an address", held,
  async (reception, site) => {
    const page = await guest(reception, "rings");
    /** @type {string[]} */
    const asked = [];
    page.context().on("request", (request) => asked.push(request.url()));
    await visit(page, "/");
    const second = await page.context().newPage();
    await visit(second, "/");
    const own = await reception.open("rings");
    await visit(own, "/me");
    const begun = Date.now();
    await send(site, "rings", { title: "The ferry is late" });
    await Promise.all([badge(page), badge(second), own.locator("#bell .badge")].map((at) => shows(at, /^1$/)));
    assert.ok(Date.now() - begun < SOON_MS, `${Date.now() - begun} ms`);
    await shows(inbox(page), "The ferry is late");
    await inbox(page).getByRole("link", { name: /The ferry is late/ }).click();
    await Promise.all([badge(page), badge(second), own.locator("#bell .badge")].map(gone));
    const streams = asked.filter((url) => url.includes("/api/v1/live?"));
    assert.equal(streams.length, 1, streams.join("\n"));
    assert.match(streams[0], /\?ticket=/);
    assert.deepEqual(asked.filter((url) => /eyJ/.test(url)), []);
  });

flow("a message is read, put back and left in the panel", held, async (reception, site) => {
  await send(site, "reads", { title: "Harbour closed", text: "From noon on." });
  const page = await guest(reception, "reads");
  await visit(page, "/");
  await page.locator("campanile-bell .bell").focus();
  await page.keyboard.press("Enter");
  await panel(page).getByRole("link", { name: /Harbour closed/ }).focus();
  await page.keyboard.press("Enter");
  await shows(panel(page), "From noon on.");
  await gone(badge(page));
  await panel(page).getByRole("button", { name: "Mark unread" }).click();
  await shows(badge(page), /^1$/);
  await shows(panel(page).getByRole("heading"), "Notifications");
  await page.keyboard.press("Escape");
  await gone(panel(page));
  assert.equal(await page.evaluate(() => document.activeElement?.localName), "campanile-bell");
});

flow("the inbox is searched and sorted in its place, with undo", held, async (reception, site) => {
  await send(site, "sorts", { title: "New prices" });
  await send(site, "sorts", { title: "Harbour closed" });
  const page = await guest(reception, "sorts");
  await visit(page, "/");
  const list = inbox(page);
  await list.getByRole("searchbox").fill("prices");
  await page.keyboard.press("Enter");
  await gone(list.locator(".item", { hasText: "Harbour closed" }));
  await list.getByRole("searchbox").fill("");
  await page.keyboard.press("Enter");
  await list.getByRole("checkbox", { name: "Choose “Harbour closed”" }).check();
  await shows(list, "1 chosen");
  await list.getByRole("button", { name: "Archive", exact: true }).click();
  await shows(list.locator(".notice"), "archived");
  await gone(list.locator(".item", { hasText: "Harbour closed" }));
  await list.locator(".notice").getByRole("button", { name: "Undo" }).click();
  await shows(list.locator(".item"), "Harbour closed");
  assert.equal(new URL(page.url()).pathname, "/");
});

flow("a banner comes, is dismissed, and stands again when that is undone", held, async (reception, site) => {
  const page = await guest(reception, "stands");
  // What stands above the page's own text moves it down.
  expectFault(page, /layout shift/);
  await visit(page, "/");
  const banners = page.locator("campanile-banner");
  await send(site, "stands", { title: "Storm", text: "Stay in.", channels: ["banner"], importance: "high" });
  await shows(banners.locator("article"), "Storm");
  await shows(banners.locator("[role=status].sr"), /Storm/);
  await banners.getByRole("button", { name: /Dismiss/ }).click();
  await gone(banners.locator("article"));
  await banners.getByRole("button", { name: "Undo" }).click();
  await shows(banners.locator("article"), "Storm");
});

flow("a script signs in, in the language of the page, and out again", held, async (reception, site) => {
  await send(site, "speaks", { title: "Harbour closed" });
  const page = await guest(reception, "speaks");
  await visit(page, "/");
  await shows(inbox(page), "1 unread message");
  const module = `${site.origin}/embed/campanile.js`;
  const counts = await page.evaluate(async ({ module, server }) => {
    const { connect } = await import(module);
    const token = async () => (await fetch("/campanile-token")).text();
    const client = connect({ server, token, language: "de" });
    const told = new Promise((go) => client.listen(({ name, data }) => name === "hello" && go(data)));
    client.start();
    const { items } = await client.inbox({ view: "unread" });
    await client.act(items[0].id, "read");
    await client.act(items[0].id, "unread");
    return told;
  }, { module, server: site.origin });
  assert.equal(counts.total, 1);
  await shows(inbox(page), "1 ungelesene Nachricht");
  await page.evaluate(async (module) => (await import(module)).disconnect(), module);
  await gone(inbox(page).locator(".item"));
  await gone(badge(page));
});

flow("who signs in at the site later is shown what is theirs", held, async (reception, site) => {
  await send(site, "later", { title: "Harbour closed" });
  const page = await guest(reception, "later");
  expectFault(page, /status of 401/);
  await page.route("**/campanile-token", (route) => route.fulfill({ status: 401 }));
  await visit(page, "/");
  await page.locator("campanile-inbox[over]").waitFor({ state: "attached" });
  await page.unroute("**/campanile-token");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await shows(inbox(page), "Harbour closed");
  await shows(badge(page), /^1$/);
});

flow("a page opens messages in a way of its own", held, async (reception, site) => {
  const id = await send(site, "opens", { title: "Harbour closed" });
  const page = await guest(reception, "opens");
  await visit(page, "/");
  await page.evaluate(() => {
    document.addEventListener("campanile-open", (event) => {
      event.preventDefault();
      document.title = `message ${/** @type {CustomEvent} */ (event).detail.id}`;
    });
  });
  await inbox(page).getByRole("link", { name: /Harbour closed/ }).click();
  assert.equal(await page.title(), `message ${id}`);
  await shows(badge(page), /^1$/);
  await page.evaluate((id) => /** @type {any} */ (document.querySelector("campanile-bell")).open(id), id);
  await shows(panel(page), "What it is about.");
  await gone(badge(page));
});

// The last one: nobody comes by the key of these tests any more.
flow("nobody's messages stay where a site's key has ended", held, async (reception, site) => {
  await send(site, "leaves", { title: "Harbour closed" });
  const page = await guest(reception, "leaves");
  expectFault(page, /status of 401/);
  await visit(page, "/");
  await shows(badge(page), /^1$/);
  await site.ask("DELETE", `/api/v1/sites/${host.site}/keys/${host.key}`, undefined);
  await gone(badge(page));
  await gone(inbox(page));
});
