// The first steps of an installation, and one's own pages: profile, password, tokens.
// @ts-check
import assert from "node:assert/strict";
import { directory } from "./lib/directory.js";
import { arrives, expectFault, flow, gone, logIn, settled, shows, visit, withSite } from "./lib/flow.js";
import { look } from "./lib/look.js";

const empty = withSite({ lines: [] });
const held = withSite({ lines: directory("profile", "word", "maker", "twice") });

/** @typedef {import("playwright-core").Page} Page */

const button = (/** @type {Page} */ page, /** @type {string | RegExp} */ name) => page.getByRole("button", { name });
const step = (/** @type {Page} */ page, /** @type {string} */ name) => page.locator(".steps > li", { hasText: name });

flow("an empty installation leads to a message that everybody gets", empty, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/");
  await arrives(page, "/start");
  await page.getByRole("link", { name: "Open the profile" }).click();
  await page.getByLabel("Email").fill("admin@example.com");
  await button(page, "Save the profile").click();
  await shows(page.locator(".notice"), "Your profile is saved.");

  await visit(page, "/start");
  await shows(step(page, "Look at your profile"), "Done");
  await page.getByRole("link", { name: "Create a user" }).click();
  await page.getByLabel(/^Id/).fill("u-zoe");
  await page.getByLabel(/^Login/).fill("zoe");
  await page.getByLabel(/^Name/).fill("Zoe Park");
  await button(page, "Create").click();
  await shows(page.locator(".notice"), "Created.");

  await visit(page, "/start");
  await shows(step(page, "Bring in people"), "Done");
  await button(page, "Send it to myself").click();
  await shows(page.locator("#bell .badge"), /^1$/);
  await shows(step(page, "Try it"), "Done");

  await page.getByRole("link", { name: "Write a message" }).click();
  await page.getByRole("checkbox", { name: /everyone/ }).check();
  await page.getByLabel("Title").fill("Hello");
  await shows(page.locator("#send"), "Send to 2 people");
  await page.locator("#send").click();
  await button(page, "Send to 2 people").click();
  await shows(page.locator(".notice"), "Sent.");
  await visit(page, "/");
  await arrives(page, "/inbox");
});

flow("a profile is changed, and refused beside its field", held, async ({ open }) => {
  const page = await open("profile");
  await visit(page, "/me");
  await page.getByLabel("Language").selectOption("de");
  await button(page, "Save the profile").click();
  await shows(page.getByRole("heading", { level: 1 }), "Profil");
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
});

flow("a password is refused, and then changed", held, async ({ open }) => {
  const page = await open(null);
  await visit(page, "/me/password");
  await logIn(page, "word");
  await arrives(page, "/me/password");
  expectFault(page, /status of 422/);
  const fill = async (/** @type {string} */ again) => {
    await page.getByLabel("The password you have now").fill("a bell for everybody");
    await page.getByLabel("The new password", { exact: true }).fill("a tower of my own");
    await page.getByLabel("The new password once more").fill(again);
    await button(page, "Change the password").click();
  };
  await fill("a tower of yours");
  await shows(page.locator("#again-fault, .bad"), "is not the same as above");
  await fill("a tower of my own");
  await shows(page.locator(".notice"), "Your password is changed.");
});

flow("a token is made, shown once, and revoked", held, async ({ open }) => {
  const page = await open("maker");
  await visit(page, "/me/tokens");
  await page.getByLabel("What it is for").fill("nightly build");
  await button(page, "Create the token").click();
  await shows(page.locator(".made"), "The token “nightly build” is made");
  const secret = await page.locator(".made [data-text]").textContent();
  const answer = await page.request.get("/api/v1/me", { headers: { authorization: `Bearer ${secret?.trim()}`, cookie: "" } });
  assert.equal(answer.status(), 200);
  await visit(page, "/me/tokens");
  await gone(page.locator(".made"));
  await page.locator("summary", { hasText: "nightly build" }).click();
  await button(page, "Revoke the token").click();
  await shows(page.locator(".notice"), "The token is revoked.");
});

flow("a token that was just made", held, async ({ open }) => {
  const page = await open("twice");
  let count = 0;
  await look(page, "/me/tokens", "me-token-made", {
    ready: async (page) => {
      await page.getByLabel("What it is for").fill(`nightly build ${(count += 1)}`);
      await button(page, "Create the token").click();
      await shows(page.locator(".made"), "is made");
      await settled(page);
    },
  });
});
