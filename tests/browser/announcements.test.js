// Announcements: written and seen while they are written, at the top for those they are for, dismissed, edited, confirmed.
// @ts-check
import assert from "node:assert/strict";
import { directory } from "./lib/directory.js";
import { arrives, expectFault, flow, gone, settled, shows, visit, withSite } from "./lib/flow.js";
import { tabTo } from "./lib/keyboard.js";
import { look } from "./lib/look.js";
import { announceSome } from "./lib/sent.js";

const ADMIN = { kind: "user", id: "u-carol", asm_role: "CustomerAdmin", customer: 1 };
const held = withSite();

/** A site whose lists have something in them. @type {Record<string, string>} */
let announced = {};
const filled = withSite({
  lines: directory().map((line) => (/** @type {any} */ (line).id === "u-carol" ? { ...line, ...ADMIN } : line)),
  prepare: async (site) => {
    announced = await announceSome(site);
  },
});

/** @typedef {import("playwright-core").Page} Page */

const button = (/** @type {Page} */ page, /** @type {string | RegExp} */ name) =>
  page.getByRole("button", { name, exact: typeof name === "string" });
const banner = (/** @type {Page} */ page, /** @type {string} */ text) =>
  page.locator("#banners .banner", { hasText: text });
const sketch = (/** @type {Page} */ page) => page.locator("#aside .banner");
const save = (/** @type {Page} */ page) => page.locator("#send");

/** Names a customer and waits until its people are counted. @param {Page} page @param {string} customer @param {RegExp} says */
async function names(page, customer, says) {
  await page.getByLabel("Name or number of the customer").fill(customer);
  await shows(save(page), says);
}

flow("it is seen while it is written, and stands at the top for its people alone", held, async ({ open }) => {
  const [page, carol, ada] = [await open("admin"), await open("carol"), await open("ada")];
  await visit(page, "/announcements");
  await shows(page.locator(".empty"), "Nothing is announced");
  await page.getByRole("link", { name: "New announcement" }).first().click();
  await arrives(page, "/announcements/new");
  await page.getByLabel("Message", { exact: true }).fill("Gateway down tonight");
  await shows(sketch(page), "Gateway down tonight");
  await page.locator("label:has(input[value=high])").click();
  await shows(page.locator("#aside .banner.high"), "High");
  await names(page, "Northwind Retail", /Announce to 1 person/);
  await page.getByLabel("To", { exact: true }).fill("2036-11-30T12:00:30");
  await shows(page.locator("#closes-utc"), "2036-11-30 11:00:30 UTC");
  await shows(sketch(page), "until 30 Nov 2036, 12:00");
  await save(page).click();
  await arrives(page, /^\/announcements\?state=now&done=announced/);
  await shows(page.locator(".announced"), "Gateway down tonight");
  await visit(carol, "/inbox");
  await shows(banner(carol, "Gateway down tonight"), "High");
  await visit(ada, "/inbox");
  assert.equal(await banner(ada, "Gateway").count(), 0);

  // Dismissed once, it is gone at another browser too, until its words change.
  await banner(carol, "Gateway").getByRole("button", { name: /^Dismiss/ }).click();
  await gone(banner(carol, "Gateway"));
  const elsewhere = await open("carol");
  await visit(elsewhere, "/inbox");
  assert.equal(await banner(elsewhere, "Gateway").count(), 0);
  await page.getByRole("link", { name: /^Edit/ }).click();
  await page.getByLabel("Message", { exact: true }).fill("Gateway down tomorrow");
  await save(page).click();
  await arrives(page, /done=announcement-saved/);
  await visit(carol, "/inbox");
  await banner(carol, "Gateway down tomorrow").getByRole("button", { name: /^Dismiss/ }).waitFor();

  // The switch takes it away, and its undo brings it back.
  await page.getByRole("switch", { name: /Gateway/ }).click();
  await shows(page.locator(".notice"), "Switched off.");
  assert.equal(await page.getByRole("switch", { name: /Gateway/ }).getAttribute("aria-checked"), "false");
  await visit(carol, "/inbox");
  assert.equal(await banner(carol, "Gateway").count(), 0);
  await button(page, "Undo").click();
  await shows(page.locator(".notice"), "Switched on.");
  await visit(carol, "/inbox");
  await shows(banner(carol, "Gateway"), "");
  await page.getByRole("link", { name: /^Delete/ }).click();
  await shows(page.locator("form.card"), "gone for everybody, 1 person");
  await button(page, "Delete").click();
  await shows(page.locator(".notice"), "gone for everybody");
  await visit(carol, "/inbox");
  assert.equal(await banner(carol, "Gateway").count(), 0);
});

flow("it is written and confirmed by keyboard, to everybody and to be acknowledged", held, async ({ open }) => {
  const [page, una] = [await open("admin"), await open("una")];
  await visit(page, "/announcements/new");
  await tabTo(page, page.locator("#text"));
  await page.keyboard.type("Renew ");
  await page.keyboard.press("Control+b");
  await page.keyboard.type("today");
  assert.equal(await page.locator("#text").inputValue(), "Renew [b]today[/b]");
  await shows(page.locator("#aside .banner strong"), "today");
  await tabTo(page, page.locator("input[name=whom]:checked"));
  await page.keyboard.press("ArrowUp");
  await shows(save(page), /Announce to \d+ people/);
  await tabTo(page, page.getByRole("checkbox", { name: /must confirm/ }));
  await page.keyboard.press("Space");
  await shows(sketch(page), "I have read this");
  await tabTo(page, save(page));
  await page.keyboard.press("Enter");
  await shows(page.getByRole("heading", { level: 1 }), /^Announce to everybody, \d+ people\?/);
  await tabTo(page, button(page, /^Announce to/));
  await page.keyboard.press("Enter");
  await shows(page.locator(".announced"), /0 of \d+ acknowledged/);
  await visit(una, "/inbox");
  await tabTo(una, button(una, "I have read this"));
  await una.keyboard.press("Enter");
  await gone(banner(una, "Renew"));
  await visit(page, "/announcements");
  await shows(page.locator(".announced"), /1 of \d+ acknowledged/);
  await page.getByRole("link", { name: /acknowledged/ }).click();
  assert.equal(await page.locator("table", { hasText: "Una Larsen" }).count(), 0);
  await page.getByRole("link", { name: "Acknowledged", exact: true }).click();
  await shows(page.locator("table"), "Una Larsen");
});

flow("what tries to break out of its tags is text", held, async ({ open }) => {
  const [page, carol] = [await open("admin"), await open("carol")];
  const evil = [
    "[b]<img src=x onerror=alert(1)>[/b]",
    '[link="javascript:alert(1)"]one[/link]',
    '[link="https://example.com/&quot; onclick=&quot;alert(1)"]two[/link]',
    "[b][i]crossed[/b][/i] </div><script>alert(1)</script>",
  ];
  await visit(page, "/announcements/new");
  await page.getByLabel("Message", { exact: true }).fill(evil.join("\n"));
  await names(page, "2", /Announce to 1 person/);
  await shows(sketch(page), "<img src=x onerror=alert(1)>");
  await save(page).click();
  await arrives(page, /done=announced/);
  await visit(carol, "/inbox");
  const stands = banner(carol, "onerror");
  await shows(stands, "</div><script>alert(1)</script>");
  assert.equal(await stands.locator("img, script, [onclick], a[href^=javascript]").count(), 0);
});

flow("without scripts a customer is found, looked at and announced to", held, async ({ open }) => {
  const page = await open("admin", { javaScriptEnabled: false });
  await visit(page, "/announcements/new");
  assert.equal(await button(page, "Bold").count(), 0, "what needs a script is not there");
  await page.getByLabel("Message", { exact: true }).fill("Plain [i]words[/i]");
  await page.getByLabel("Name or number of the customer").fill("north");
  await button(page, "Preview").click();
  await shows(sketch(page), "Plain words");
  await page.getByRole("radio", { name: "Northwind Retail" }).check();
  await button(page, "Preview").click();
  await shows(page.locator("#customer-hint"), "Northwind Retail (Northwind)");
  await button(page, "Announce to 1 person").click();
  await shows(page.locator(".notice"), "Announced.");
  await shows(page.locator(".announced"), "Plain words");
});

flow("a form that is refused keeps what was typed", held, async ({ open }) => {
  const page = await open("admin");
  expectFault(page, /status of 422/);
  await look(page, "/announcements/new", "announcements-refused", {
    ready: async (page) => {
      await page.getByLabel("Message", { exact: true }).fill("Kept");
      await page.getByLabel("From", { exact: true }).fill("2036-11-30T12:00");
      await page.getByLabel("To", { exact: true }).fill("2036-11-30T11:00");
      await shows(sketch(page), "Kept");
      await save(page).click();
      await shows(page.getByRole("alert"), "");
      assert.equal(await page.getByLabel("Message", { exact: true }).inputValue(), "Kept");
      await settled(page);
    },
  });
});

/** Name of the pictures, address, who looks. @type {[string, string, string][]} */
const PAGES = [
  ["announcements", "/announcements", "admin"],
  ["announcements-coming", "/announcements?state=coming", "admin"],
  ["announcements-past", "/announcements?state=past", "admin"],
  ["announcements-off", "/announcements?state=off", "carol"],
  ["announcements-filtered", "/announcements?q=nothing+like+it", "admin"],
  ["announcements-new", "/announcements/new", "carol"],
  ["announcements-copy", "/announcements/new?copy={critical}", "admin"],
  ["announcements-edit", "/announcements/{critical}/edit", "admin"],
  ["announcements-delete", "/announcements/{critical}/delete", "admin"],
  ["announcements-year", "/announcements/year", "admin"],
  ["announcements-year-empty", "/announcements/year?year=1999", "admin"],
  ["announcement", "/messages/{critical}", "admin"],
  ["announcement-people", "/messages/{critical}/people?part=unacknowledged", "admin"],
  ["announcement-remind", "/messages/{critical}/remind", "admin"],
  ["banners", "/inbox", "carol"],
];

for (const [name, path, login] of PAGES) {
  flow(`${path} for ${login}`, filled, async ({ open }) =>
    look(await open(login), path.replace(/\{(\w+)\}/, (_, which) => announced[which]), name));
}

flow("the question before it goes to everybody", filled, async ({ open }) =>
  look(await open("admin"), `/announcements/new?copy=${announced.critical}`, "announcements-confirm", {
    ready: async (page) => {
      await page.locator("input[value=all]").check();
      await shows(save(page), /Announce to \d+ people/);
      await save(page).click();
      await shows(page.getByRole("heading", { level: 1 }), "Announce to everybody");
      await settled(page);
    },
  }));

flow("the list in German", filled, async ({ open }) =>
  look(await open("admin", { locale: "de-DE" }), "/announcements", "german-announcements"));
