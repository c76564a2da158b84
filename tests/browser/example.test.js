// From SEND to the bell: the example of the original feature's documentation, step by step, with the mouse, without
// scripts, and with the keyboard alone.
// @ts-check
import assert from "node:assert/strict";
import { arrives, flow, gone, settled, shows, visit, withSite } from "./lib/flow.js";
import { tabTo } from "./lib/keyboard.js";
import { PASSWORD } from "./lib/directory.js";

const held = withSite();

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */

/**
 * @typedef {object} Hand how a person works with a page
 * @property {import("playwright-core").BrowserContextOptions} options
 * @property {boolean} scripts
 * @property {(target: Locator) => Promise<void>} press a link or a button
 * @property {(target: Locator) => Promise<void>} tick a box or a choice
 * @property {(target: Locator, text: string) => Promise<void>} type
 */

const mouse = {
  press: (/** @type {Locator} */ target) => target.click(),
  tick: (/** @type {Locator} */ target) => target.check(),
  type: (/** @type {Locator} */ target, /** @type {string} */ text) => target.fill(text),
};

const key = async (/** @type {Locator} */ target, /** @type {string} */ name) => {
  await target.waitFor({ state: "attached" });
  await tabTo(target.page(), target);
  await target.page().keyboard.press(name);
};

/** @type {Record<string, Hand>} */
const HANDS = {
  "with the mouse": { ...mouse, options: {}, scripts: true },
  "without scripts": { ...mouse, options: { javaScriptEnabled: false }, scripts: false },
  "with the keyboard alone": {
    options: {},
    scripts: true,
    press: (target) => key(target, "Enter"),
    tick: (target) => key(target, "Space"),
    type: async (target, text) => {
      await tabTo(target.page(), target);
      await target.page().keyboard.type(text);
    },
  },
};

const badge = (/** @type {Page} */ page) => page.locator("#bell .badge");
const entry = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.getByRole("navigation", { name: "Main" }).getByRole("link", { name });
const link = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.getByRole("main").getByRole("link", { name }).first();

/** From the log-in to the sent message. @param {Hand} hand @param {Page} page @param {object} what
 * @param {string} what.login @param {(page: Page) => Promise<void>} what.lead to the form
 * @param {RegExp} what.recipients the name of a box @param {string} what.people how many it reaches, by name
 * @param {string} what.title @param {string} what.text */
async function send(hand, page, { login, lead, recipients, people, title, text }) {
  await visit(page, "/");
  await hand.type(page.getByLabel("Login"), login);
  await hand.type(page.getByLabel("Password"), PASSWORD);
  await hand.press(page.getByRole("button", { name: "Log in" }));
  await entry(page, "Inbox").waitFor();
  await lead(page);
  await page.locator("form[action$='/new']").waitFor();
  await settled(page);
  // Bell and inbox are ticked from the start.
  assert.ok(await page.getByRole("checkbox", { name: "Portal notification" }).isChecked());
  await hand.tick(page.getByRole("checkbox", { name: recipients }));
  await hand.type(page.getByLabel("Title"), title);
  await hand.type(page.getByLabel("Text"), text);
  if (hand.scripts) {
    await shows(page.locator("#aside .look .t"), title);
    await shows(page.getByRole("button", { name: `Send to ${people}` }), "Send to");
  }
  await hand.press(page.locator("#send"));
  await shows(page.getByRole("heading", { level: 1 }), people);
  await hand.press(page.getByRole("button", { name: `Send to ${people}` }));
  await arrives(page, /^\/messages\/\d+\?done=sent/);
  await shows(page.getByRole("status"), "Sent.");
  await shows(page.getByRole("heading", { level: 1 }), title);
}

/** Looks at the bell again. @param {Hand} hand @param {Page} page */
async function lookUp(hand, page) {
  if (hand.scripts) await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  else await visit(page, "/inbox?view=past");
  await settled(page);
}

/** Opens a message by the bell. @param {Hand} hand @param {Page} page @param {string} title */
async function openByBell(hand, page, title) {
  await hand.press(page.locator("#bell"));
  const list = hand.scripts ? page.locator("#panel") : page.getByRole("main");
  await shows(list.locator(".item .t"), title);
  await hand.press(list.getByRole("link", { name: title }));
  await shows(page.getByRole("heading", { level: 1 }), title);
}

for (const [how, hand] of Object.entries(HANDS)) {
  flow(`a message of the platform reaches its administrators' bells, ${how}`, held, async ({ open }) => {
    const [ada, una] = [await open("ada", hand.options), await open("una", hand.options)];
    for (const page of [ada, una]) {
      await visit(page, "/inbox?view=past");
      await gone(badge(page));
    }
    const title = `Maintenance, ${how}`;
    await send(hand, await open(null, hand.options), {
      login: "admin",
      lead: async (page) => {
        await hand.press(entry(page, "Messages"));
        await arrives(page, "/messages");
        await hand.press(link(page, "New message"));
      },
      recipients: /^ADMIN\b/,
      people: "3 people",
      title,
      text: "Saturday, **08:00** UTC.",
    });

    await lookUp(hand, ada);
    await shows(badge(ada), /^1$/);
    await openByBell(hand, ada, title);
    await shows(ada.locator(".letter .text"), "Saturday, 08:00 UTC.");
    await gone(badge(ada));

    await lookUp(hand, una);
    await gone(badge(una));
    await visit(una, "/inbox");
    await shows(una.getByRole("heading"), "Nothing here");
  });

  flow(`a message of an API reaches its subscribers' bells, ${how}`, held, async ({ open }) => {
    const [carol, una] = [await open("carol", hand.options), await open("una", hand.options)];
    for (const page of [carol, una]) {
      await visit(page, "/inbox?view=past");
      await gone(badge(page));
    }
    const title = `New version, ${how}`;
    await send(hand, await open(null, hand.options), {
      login: "paul",
      lead: async (page) => {
        await hand.press(entry(page, "APIs"));
        await arrives(page, "/apis");
        await hand.press(link(page, "Payments"));
        await hand.press(link(page, "New message"));
      },
      recipients: /^API subscribers/,
      people: "1 person",
      title,
      text: "Payments 2 is there.",
    });

    await lookUp(hand, carol);
    await shows(badge(carol), /^1$/);
    await openByBell(hand, carol, title);
    await shows(carol.locator(".letter .text"), "Payments 2 is there.");
    await gone(badge(carol));
    await lookUp(hand, una);
    await gone(badge(una));
  });
}
