// The live channel: bell, lists, banners and notifications of the system follow by themselves, over one stream a browser.
// @ts-check
import assert from "node:assert/strict";
import { directory } from "./lib/directory.js";
import { expectFault, flow, gone, shows, visit, withSite } from "./lib/flow.js";

/** How soon a bell has rung. */
const SOON_MS = 1_000;
/** Until something must have happened. */
const LIMIT_MS = 10_000;
const PEOPLE = ["one", "open", "types", "hands", "crash", "alone", "rings", "flood", "device", "goes"];

const held = withSite({ lines: directory(...PEOPLE) });

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./lib/site.js").Site} Site */

const badge = (/** @type {Page} */ page) => page.locator("#bell .badge");
const row = (/** @type {Page} */ page, /** @type {string} */ title) =>
  page.locator("main .item").filter({ hasText: title });
const to = (/** @type {string} */ login) => [{ kind: "user", user: `u-${login}` }];

/** Sends to one person. @param {Site} site @param {string} login @param {object} message @returns {Promise<string>} */
async function send(site, login, message) {
  const { id } = await site.ask("POST", "/api/v1/messages", { text: "What it is about.", audience: to(login), ...message });
  return id;
}

/** Another tab of the same browser. @param {Page} page @param {string} path */
async function tab(page, path) {
  const other = await page.context().newPage();
  await visit(other, path);
  return other;
}

/** Waits until the server has so many streams. @param {Site} site @param {number} wanted */
async function streams(site, wanted) {
  let now = -1;
  for (const end = Date.now() + LIMIT_MS; now !== wanted && Date.now() < end;) {
    const metrics = await (await fetch(`${site.origin}/metrics`)).text();
    now = Number(/^campanile_live_streams (\d+)$/m.exec(metrics)?.[1]);
  }
  assert.equal(now, wanted, "streams");
}

/** Marks a document, to see that it was not loaded again. @param {Page} page */
const mark = (page) => page.evaluate(() => document.body.setAttribute("data-same", ""));
const isMarked = async (/** @type {Page} */ page) => (await page.locator("body[data-same]").count()) === 1;

flow("what one window sends rings in every tab of another, over one stream, until it is read or recalled", held,
  async ({ open }, site) => {
    const first = await open("one");
    await visit(first, "/me");
    const second = await tab(first, "/inbox");
    await streams(site, 1);
    await Promise.all([first, second].map(mark));

    const sender = await open("admin");
    await visit(sender, "/messages/new");
    await sender.getByRole("combobox", { name: "Others" }).fill("user one");
    await sender.locator("#options [role=option]").first().click();
    await sender.getByLabel("Title").fill("Harbour closed");
    await sender.getByLabel("Text").fill("From Monday.");
    await sender.locator("#send").click();
    await shows(sender.getByRole("heading", { level: 1 }), "Send to 1 person?");
    await streams(site, 2);
    const sends = sender.waitForEvent("request", (request) => request.method() === "POST");
    await sender.getByRole("button", { name: "Send to 1 person" }).click();
    await sends;
    const begun = performance.now();
    await Promise.all([first, second].map((page) => shows(badge(page), /^1$/)));
    const took = performance.now() - begun;
    assert.ok(took < SOON_MS, `the bells rang after ${took} ms`);
    await shows(row(second, "Harbour closed"), "Harbour closed");
    assert.match(await first.title(), /^\(1\) /);
    await streams(site, 2);

    await row(second, "Harbour closed").getByRole("link").click();
    await shows(second.getByRole("heading", { level: 1 }), "Harbour closed");
    await gone(badge(first));
    await gone(badge(second));
    await visit(second, "/inbox");
    await mark(second);

    const id = await send(site, "one", { title: "Sent by mistake" });
    await shows(row(second, "Sent by mistake"), "Sent by mistake");
    await shows(badge(first), /^1$/);
    await site.ask("POST", `/api/v1/messages/${id}/recall`, undefined);
    await gone(row(second, "Sent by mistake"));
    await gone(badge(first));
    assert.ok((await isMarked(first)) && (await isMarked(second)), "a page was loaded again");
  });

flow("an open panel follows, and the focus stays where it was", held, async ({ open }, site) => {
  await send(site, "open", { title: "First" });
  const page = await open("open");
  await visit(page, "/me");
  await page.locator("#bell").click();
  const item = page.locator("#panel .item");
  await item.filter({ hasText: "First" }).focus();
  await send(site, "open", { title: "Second" });
  await shows(item, "Second");
  assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? "", /First/);
});

flow("who goes to another list while the panel is asked for again keeps that one", held, async ({ open }, site) => {
  await send(site, "goes", { title: "First" });
  const page = await open("goes");
  await visit(page, "/me");
  await page.locator("#bell").click();
  const panel = page.locator("#panel");
  await shows(panel.locator(".item"), "First");
  /** @type {(go: () => Promise<void>) => void} */
  let caught = () => {};
  const late = new Promise((resolve) => (caught = resolve));
  await page.route(/\/bell$/, (route) => caught(() => route.continue()), { times: 1 });
  await send(site, "goes", { title: "Second" });
  const go = await late;
  await panel.locator("#panel-unread").click();
  await shows(panel.locator('a[aria-current="page"]'), "Unread 2");
  const [answer] = await Promise.all([page.waitForResponse(/\/bell$/), go()]);
  await answer.finished();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await shows(panel.locator('a[aria-current="page"]'), "Unread 2");
});

flow("a list is not put in place anew under somebody's hands", held, async ({ open }, site) => {
  await send(site, "types", { title: "First" });
  const page = await open("types");
  await visit(page, "/inbox");
  await page.getByRole("checkbox", { name: "Choose “First”" }).check();
  await page.getByRole("searchbox").fill("typed");
  await send(site, "types", { title: "Second" });
  await shows(badge(page), /^2$/);
  assert.equal(await page.getByRole("searchbox").inputValue(), "typed");
  assert.equal(await row(page, "Second").count(), 0);
  await page.getByRole("searchbox").fill("");
  await page.getByRole("checkbox", { name: "Choose “First”" }).uncheck();
  await shows(row(page, "Second"), "Second");
  // What was put in place works as what was there.
  await page.getByRole("checkbox", { name: "Choose “Second”" }).check();
  await shows(page.locator(".bulk"), "1 chosen");
});

flow("when the tab with the stream goes, another one has it", held, async ({ open }, site) => {
  const first = await open("hands");
  await visit(first, "/inbox");
  await streams(site, 1);
  const second = await tab(first, "/inbox");
  await first.close();
  await send(site, "hands", { title: "Just then" });
  await shows(badge(second), /^1$/);
  await shows(row(second, "Just then"), "Just then");
  await streams(site, 1);
});

flow("a server that was killed is found again, and nothing was missed", held, async ({ open }, site) => {
  const first = await open("crash");
  await visit(first, "/inbox");
  const second = await tab(first, "/me");
  await streams(site, 1);
  expectFault(first, /ERR_(CONNECTION|INCOMPLETE|EMPTY|NETWORK)/);
  const start = await site.kill();
  await start();
  await send(site, "crash", { title: "Before they are back" });
  await Promise.all([first, second].map((page) => shows(badge(page), /^1$/)));
  await shows(row(first, "Before they are back"), "Before they are back");
  await streams(site, 1);
  await send(site, "crash", { title: "As ever" });
  await Promise.all([first, second].map((page) => shows(badge(page), /^2$/)));
});

flow("a browser without locks has a stream for a tab that is looked at", held, async ({ open }, site) => {
  const page = await open("alone");
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }));
  await visit(page, "/inbox");
  await streams(site, 1);
  await send(site, "alone", { title: "Harbour closed" });
  await shows(badge(page), /^1$/);
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await streams(site, 0);
});

flow("a banner comes when its window opens and goes when it closes", held, async ({ open }, site) => {
  const page = await open("una");
  await visit(page, "/inbox");
  await mark(page);
  const banners = page.locator("#banners");
  await gone(banners);
  const at = (/** @type {number} */ ms) => new Date(Date.now() + ms).toISOString();
  await send(site, "una", { text: "The harbour is closed", channels: ["banner"], opens_at: at(1_500), closes_at: at(4_500) });
  await shows(banners, "The harbour is closed");
  await shows(page.locator("#told"), /The harbour is closed/);
  await gone(banners);
  assert.ok(await isMarked(page), "the page was loaded again");
});

/** Puts a recorder in the place of the system's notifications. @param {Page} page @param {string} [choice] */
async function record(page, choice) {
  await page.context().addInitScript((choice) => {
    if (location.protocol === "about:") return;
    if (choice) localStorage.setItem("campanile.notify", choice);
    const shown = [];
    class Recorder extends EventTarget {
      static permission = choice ? "granted" : "default";
      static requestPermission = async () => (Recorder.permission = "granted");
      constructor(title, options) {
        super();
        Object.assign(this, { title, ...options, open: true });
        shown.push(this);
      }
      close() {
        this.open = false;
        this.dispatchEvent(new Event("close"));
      }
    }
    Object.assign(window, { Notification: Recorder, shown });
  }, choice);
}

/** What the pages have shown, open or not. @param {Page[]} pages */
async function shown(...pages) {
  const read = (/** @type {Page} */ page) =>
    // @ts-ignore the recorder's
    page.evaluate(() => window.shown.map(({ title, body, tag, open }) => ({ title, body, tag, open })));
  return (await Promise.all(pages.map(read))).flat();
}

/** Waits until a page has shown so many that are open. @param {Page} page @param {number} wanted */
const showsCards = (page, wanted) =>
  // @ts-ignore the recorder's
  page.waitForFunction((wanted) => window.shown.filter(({ open }) => open).length === wanted, wanted);

flow("a notification is shown once for all tabs, and closed when its message is read elsewhere", held,
  async ({ open }, site) => {
    const first = await open("rings");
    await record(first, "high");
    await visit(first, "/me");
    const second = await tab(first, "/me");
    await send(site, "rings", { title: "Of low importance" });
    const id = await send(site, "rings", { title: "Harbour closed", importance: "high" });
    await showsCards(first, 1);
    await shows(badge(second), /^2$/);
    const cards = await shown(first, second);
    assert.deepEqual(cards, [{ title: "Harbour closed", body: "What it is about.", tag: String(id), open: true }]);

    await visit(second, `/inbox/${id}`);
    await showsCards(first, 0);

    const wrong = await send(site, "rings", { title: "Sent by mistake", importance: "critical" });
    await showsCards(first, 1);
    await site.ask("POST", `/api/v1/messages/${wrong}/recall`, undefined);
    await showsCards(first, 0);

    const last = await send(site, "rings", { title: "Look at this", importance: "critical" });
    await showsCards(first, 1);
    // @ts-ignore the recorder's
    await first.evaluate(() => window.shown.at(-1).dispatchEvent(new Event("click")));
    await first.waitForURL(`**/inbox/${last}`);
  });

flow("many at once are one notification", held, async ({ open }) => {
  const page = await open("flood");
  await record(page, "all");
  await visit(page, "/me");
  await page.evaluate(async () => {
    const { hear } = await import(new URL("notify.js", document.querySelector("script").src).href);
    for (let id = 1; id < 6; id += 1) {
      hear({ name: "message", data: { id, change: "there", rings: true, title: `No. ${id}`, importance: "low" } });
    }
  });
  await showsCards(page, 1);
  assert.equal((await shown(page))[0].title, "5 new messages");
});

flow("notifications are asked for on a click, chosen on the device, and refused in plain words", held,
  async ({ open }, site) => {
    const page = await open("device");
    await record(page);
    await visit(page, "/me");
    const card = page.locator("#device");
    await card.getByRole("button", { name: "Allow notifications" }).click();
    assert.ok(await card.getByRole("radio", { name: "All messages" }).isChecked());
    await send(site, "device", { title: "Harbour closed" });
    await showsCards(page, 1);
    await card.getByRole("radio", { name: "None" }).check();
    await visit(page, "/me");
    await page.evaluate(() => Object.assign(Notification, { permission: "granted" }));
    await send(site, "device", { title: "Second" });
    await shows(badge(page), /^2$/);
    assert.deepEqual(await shown(page), []);

    const refused = await open("device");
    await refused.addInitScript(() => Object.defineProperty(Notification, "permission", { value: "denied" }));
    await visit(refused, "/me");
    await shows(refused.locator("#device .say"), "Allow them beside the address of this page");
  });
