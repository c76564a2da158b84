// Writing a message: what is found and chosen, who is missing and why, the try, the question, correction and recall.
// @ts-check
import assert from "node:assert/strict";
import { PASSWORD } from "./lib/directory.js";
import { arrives, expectFault, flow, gone, logIn, settled, shows, visit, withSite } from "./lib/flow.js";
import { look } from "./lib/look.js";

const held = withSite();

/** @typedef {import("playwright-core").Page} Page */

const button = (/** @type {Page} */ page, /** @type {string | RegExp} */ name) => page.getByRole("button", { name });
const send = (/** @type {Page} */ page) => page.locator("#send");

/** What the link does, in a tab that is watched from its beginning. @param {Page} page */
async function inAnotherTab(page) {
  const link = page.getByRole("link", { name: "Log in in another tab" });
  assert.equal(await link.getAttribute("target"), "_blank");
  const other = await page.context().newPage();
  await visit(other, (await link.getAttribute("href")) ?? "");
  return other;
}

flow("recipients are found by keyboard, chosen, and taken away", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/messages/new");
  const field = page.getByRole("combobox", { name: "Others" });
  await field.focus();
  await page.keyboard.type("north");
  const options = page.locator("#options [role=option]");
  await shows(options, "Northwind");
  const first = await options.first().getAttribute("data-name");
  assert.equal(await field.getAttribute("aria-activedescendant"), await options.first().getAttribute("id"));
  await page.keyboard.press("ArrowDown");
  const second = await options.nth(1).getAttribute("data-name");
  await page.keyboard.press("Enter");
  await shows(page.locator("#chips .chip"), String(second));
  assert.notEqual(first, second);
  assert.equal(await field.inputValue(), "");

  await page.keyboard.type("night");
  await shows(options, "Night shift");
  await options.first().click();
  await shows(page.locator("#chips .chip"), "Night shift");
  await shows(send(page), /^Send to \d+ pe/);
  await button(page, /^Remove .*Northwind/).click();
  await gone(page.locator("#chips .chip", { hasText: "Northwind" }));
  await shows(send(page), "Send to 1 person");
  await button(page, /^Remove .*Night shift/).click();
  await shows(send(page), /^Send$/);

  await field.fill("no such thing");
  await shows(page.locator("#options"), "Nothing begins like this.");
  await page.keyboard.press("Escape");
  await gone(page.locator("#options"));
});

flow("one asks why somebody is missing, and goes on", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/messages/new");
  await page.getByRole("checkbox", { name: "ADMIN" }).check();
  await shows(send(page), "Send to 3 people");
  const why = page.getByLabel("Why is someone missing?");
  await why.fill("una");
  await why.press("Enter");
  await shows(page.locator(".answer"), "Una Larsen does not get it.");
  await shows(page.locator(".answer"), "has never held this role");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "why");
  await shows(page.locator("#counted"), "Una Larsen does not get it.");
  // Answered: Enter means the message again.
  await page.getByLabel("Title").fill("Maintenance");
  await page.getByLabel("Title").press("Enter");
  await shows(page.getByRole("heading", { level: 1 }), "Send to 3 people?");
});

flow("a number that could not be counted is not shown as exact", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/messages/new");
  await page.getByRole("checkbox", { name: "ADMIN" }).check();
  await shows(page.locator("#aside .pill"), "exact");
  expectFault(page, /ERR_FAILED/);
  await page.route("**/aside", (route) => route.abort());
  await page.getByRole("checkbox", { name: "USER", exact: true }).check();
  await shows(page.locator("#aside"), "Not counted");
  await gone(page.locator("#aside .pill"));
  await shows(send(page), /^Send$/);
  await page.unroute("**/aside");
  await page.getByLabel("Title").fill("Again");
  await shows(page.locator("#aside .pill"), "exact");
});

flow("a try comes to oneself alone, and the form stays", held, async ({ open }) => {
  const [page, ada] = [await open("admin"), await open("ada")];
  await visit(page, "/messages/new");
  await page.getByRole("checkbox", { name: "ADMIN" }).check();
  await page.getByLabel("Title").fill("Only a try");
  await shows(send(page), "Send to 3 people");
  await button(page, "Send to myself").click();
  await shows(page.locator(".notice"), "Sent to you alone.");
  await shows(page.locator("#bell .badge"), /^1$/);
  assert.equal(await page.getByLabel("Title").inputValue(), "Only a try");
  assert.ok(await page.getByRole("checkbox", { name: "ADMIN" }).isChecked());
  await visit(page, "/messages");
  assert.equal(await page.getByText("Only a try").count(), 0);
  await visit(ada, "/inbox");
  assert.equal(await ada.getByText("Only a try").count(), 0);
});

flow("what is typed outlives the session", held, async ({ open }) => {
  const page = await open(null);
  await visit(page, "/messages/new");
  await logIn(page, "bert");
  await arrives(page, "/messages/new");
  await settled(page);
  await page.getByRole("checkbox", { name: "ADMIN" }).check();
  await page.getByLabel("Title").fill("Kept");
  await page.getByLabel("Text").fill("Every\nword");
  await shows(send(page), "Send to 3 people");
  await settled(page);
  const cookies = (await page.context().cookies()).filter(({ name }) => name.includes("session"));
  await page.context().clearCookies({ name: cookies[0].name });
  expectFault(page, /status of 401/);
  await send(page).click();
  await shows(page.getByRole("heading", { level: 1 }), "You are not logged in");
  const login = await inAnotherTab(page);
  await logIn(login, "bert", PASSWORD);
  await login.locator("#bell").waitFor();
  await button(page, "Send again").click();
  await shows(page.getByRole("heading", { level: 1 }), "Send to 3 people?");
  await shows(page.locator(".letter"), "Every");
});

flow("a message is corrected, rings again, and is taken back", held, async ({ open }, site) => {
  const audience = [{ kind: "user", user: "u-carol" }];
  const { id } = await site.ask("POST", "/api/v1/messages", { title: "Harbor closed", text: "On Monday.", audience });
  const [page, carol] = [await open("admin"), await open("carol")];
  await visit(carol, `/inbox/${id}`);
  await visit(page, `/messages/${id}`);
  await page.getByRole("link", { name: "Correct" }).click();
  await page.getByLabel("Title").fill("Harbour closed");
  await page.getByRole("checkbox", { name: /ring/i }).check();
  await button(page, /^Save/).click();
  await arrives(page, new RegExp(`^/messages/${id}\\?done=corrected`));
  await shows(page.getByRole("heading", { level: 1 }), "Harbour closed");
  await visit(carol, "/inbox");
  await shows(carol.locator(".item.unread"), "Harbour closed");

  await page.getByRole("link", { name: "Recall" }).click();
  await shows(page.getByRole("heading", { level: 1 }), "1 person");
  await page.locator("button.danger").click();
  await shows(page.locator(".notice"), "ecalled");
  await visit(carol, "/inbox?view=past");
  assert.equal(await carol.getByText("Harbour closed").count(), 0);
});

flow("the question before it is sent", held, async ({ open }) =>
  look(await open("admin"), "/messages/new", "messages-confirm", {
    ready: async (page) => {
      await page.getByRole("checkbox", { name: "ADMIN" }).check();
      await page.getByLabel("Title").fill("Maintenance on Saturday");
      await page.getByLabel("Text").fill("From **08:00** to 10:00.");
      await page.getByText("Time and late joiners").click();
      await page.getByLabel("Publish at").fill("2020-01-01T08:00");
      await shows(send(page), "Send to 3 people");
      await send(page).click();
      await shows(page.getByRole("heading", { level: 1 }), "Send to 3 people?");
      await settled(page);
    },
  }));

flow("a form of a message that is refused", held, async ({ open }) => {
  const page = await open("admin");
  expectFault(page, /status of 422/);
  await look(page, "/messages/new", "messages-refused", {
    ready: async (page) => {
      await send(page).click();
      await shows(page.getByRole("alert"), "");
      await settled(page);
    },
  });
});

flow("a form with what was found and chosen, without scripts", held, async ({ open }) => {
  const page = await open("admin", { javaScriptEnabled: false });
  await visit(page, "/messages/new");
  await page.getByRole("textbox", { name: "Others" }).fill("night");
  await page.getByRole("button", { name: "Find", exact: true }).click();
  await page.locator("button[name=add]").first().click();
  await shows(page.locator(".chip"), "Night shift");
  await shows(send(page), "Send to 1 person");
});

flow("the request of a POST is seen while it is typed", held, async ({ open }) => {
  const page = await open("admin");
  await look(page, "/messages/new", "messages-request", {
    ready: async (page) => {
      // A checkbox as it is drawn lies below its label.
      await page.locator("label:has(input[name=channel][value=http])").click();
      await page.locator("#url").fill("https://hooks.example.com/in?team=gateways");
      await page.locator("input[name=header_name]").first().fill("Authorization");
      await page.locator("input[name=header_value]").first().fill("Bearer deep-secret");
      await page.locator("#text").fill('{"type":"gateway.down","data":{"since":"22:00"}}');
      await shows(page.locator(".request"), "POST https://hooks.example.com/in?team=gateways");
      await shows(page.locator(".request"), "set, not shown");
      assert.doesNotMatch(await page.locator(".request").innerText(), /deep-secret/);
    },
  });
});
