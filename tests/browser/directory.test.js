// Every page of the directory: what axe says, its weight, its narrowest width, and pictures of it in artifacts/browser.
// @ts-check
import assert from "node:assert/strict";
import { arrives, expectFault, flow, gone, settled, shows, visit, withSite } from "./lib/flow.js";
import { look } from "./lib/look.js";
import { sendSome } from "./lib/sent.js";

const held = withSite({ prepare: async (site) => void (await sendSome(site)) });

/** Name of the pictures, and address. @type {[string, string][]} */
const PAGES = [
  ["directory", "/directory"],
  ["directory-customers", "/directory/customers"],
  ["directory-customer", "/directory/customers/1"],
  ["directory-users", "/directory/users"],
  ["directory-users-new", "/directory/add/users"],
  ["directory-user", "/directory/users/u-una"],
  ["directory-user-edit", "/directory/users/u-una/edit"],
  ["directory-user-end", "/directory/users/u-una/end"],
  ["directory-user-password", "/directory/users/u-una/password"],
  ["directory-user-erase", "/directory/users/u-una/erase"],
  ["directory-groups", "/directory/groups"],
  ["directory-group", "/directory/groups/night-shift"],
  ["directory-roles", "/directory/roles"],
  ["directory-roles-new", "/directory/add/roles"],
  ["directory-role", "/directory/roles/ENVIRONMENT/ADMIN"],
  ["directory-apis", "/directory/apis"],
  ["directory-api", "/directory/apis/payments"],
  ["directory-applications", "/directory/applications"],
  ["directory-application", "/directory/applications/till"],
  ["directory-subscriptions", "/directory/subscriptions"],
  ["directory-subscription", "/directory/subscriptions/s-1"],
  ["directory-memberships", "/directory/memberships"],
  ["directory-environments", "/directory/environments"],
  ["directory-import", "/directory/import"],
  ...["customers", "groups", "apis", "applications", "subscriptions", "memberships", "environments"].map(
    (kind) => /** @type {[string, string]} */ ([`directory-${kind}-new`, `/directory/add/${kind}`]),
  ),
  ["directory-membership-end", "/directory/memberships/end?user=u-una&on=environment&id=DEFAULT&scope=ENVIRONMENT&role=USER"],
];

for (const [name, path] of PAGES) {
  flow(path, held, async ({ open }) => look(await open("admin"), path, name));
}

/** @typedef {import("playwright-core").Page} Page */

const button = (/** @type {Page} */ page, /** @type {string | RegExp} */ name) => page.getByRole("button", { name });
const file = (/** @type {string[]} */ ...lines) => ({
  name: "people.ndjson",
  mimeType: "application/x-ndjson",
  buffer: Buffer.from(lines.join("\n")),
});
const GOOD = '{"kind":"group","id":"g-new","name":"New crew"}';
const BAD = '{"kind":"group","id":"g-bad","name":""}';

/** Uploads a file. @param {Page} page @param {...string} lines */
async function upload(page, ...lines) {
  await page.getByLabel(/^File/).setInputFiles(file(...lines));
  await button(page, "Send the file").click();
}

flow("a file is checked, mended and taken in", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/import");
  await upload(page, GOOD, BAD);
  const report = page.locator("#report");
  await shows(report, "Nothing was written.");
  await shows(report.locator("td"), "name");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "report-title");
  // The page stayed, and with it the file that was chosen.
  await page.getByRole("checkbox").uncheck();
  await upload(page, GOOD);
  await shows(report, "Every line was taken.");
  await visit(page, "/directory/groups/g-new");
});

flow("a report with a bad line", held, async ({ open }) =>
  look(await open("admin"), "/directory/import", "directory-import-report", {
    ready: async (page) => {
      await upload(page, GOOD, BAD);
      await shows(page.locator("#report"), "Nothing was written.");
      await settled(page);
    },
  }));

flow("an upload after the session is over says so, and the page stays", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/import");
  await page.context().clearCookies();
  expectFault(page, /status of 401/);
  await upload(page, GOOD);
  await shows(page.locator("#notices .over"), "Your session is over.");
  assert.equal(await page.locator("#report form").count(), 0);
});

flow("a user is made, changed, deactivated, and comes back", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/add/users");
  await page.getByLabel(/^Id/).fill("u-zoe");
  await page.getByLabel(/^Login/).fill("zoe");
  await page.getByLabel(/^Name/).fill("Zoe Park");
  const customer = page.getByLabel(/^Customer/);
  await customer.pressSequentially("Harb");
  await page.locator("#customer-list option").first().waitFor({ state: "attached" });
  await customer.fill("3");
  await button(page, "Create").click();
  await shows(page.locator(".notice"), "Created.");
  await page.getByRole("link", { name: "Change", exact: true }).click();
  await page.getByLabel(/^Name/).fill("Zoe Parker");
  await button(page, "Save").click();
  await shows(page.getByRole("heading", { level: 1 }), "Zoe Parker");
  await page.getByRole("link", { name: "Deactivate" }).click();
  await button(page, "Deactivate").click();
  await shows(page.locator(".notice"), "Deactivated.");
  await button(page, "Undo").click();
  await shows(page.locator(".notice"), "Back again.");
  await gone(page.locator(".notice button"));
});

flow("a user is erased once their login is typed, and nothing says who it was", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/add/users");
  await page.getByLabel(/^Id/).fill("u-ole");
  await page.getByLabel(/^Login/).fill("ole");
  await page.getByLabel(/^Name/).fill("Ole Sand");
  await button(page, "Create").click();
  await page.getByRole("link", { name: "Erase" }).click();
  expectFault(page, /status of 422/);
  await page.getByLabel(/^Type the login/).fill("una");
  await button(page, "Erase for good").click();
  await shows(page.locator("#wrong"), "That is another login.");
  await page.getByLabel(/^Type the login/).fill("ole");
  await button(page, "Erase for good").click();
  await shows(page.locator(".notice"), "Erased.");
  await shows(page.getByRole("main"), "This user was erased");
  assert.doesNotMatch(await page.locator("body").innerText(), /Ole Sand|u-ole/);
});

flow("a role is given, taken away, and given back", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/users/u-bert");
  await page.getByRole("main").getByRole("link", { name: "Take away" }).first().click();
  await button(page, "Take away").click();
  await shows(page.locator(".notice"), "The role is taken away.");
  await button(page, "Give ADMIN back").click();
  await shows(page.locator(".notice"), "The role is given.");
});

flow("a form of the directory that is refused", held, async ({ open }) => {
  const page = await open("admin");
  expectFault(page, /status of 422/);
  await look(page, "/directory/add/users", "directory-users-refused", {
    ready: async (page) => {
      await page.getByLabel(/^Id/).fill("u-x");
      await page.getByLabel(/^Login/).fill("una");
      await page.getByLabel(/^Name/).fill("Una again");
      await page.getByLabel(/^Customer/).fill("north");
      await button(page, "Create").click();
      await shows(page.getByRole("alert"), "");
      await settled(page);
    },
  });
});

flow("the only administrator stays", held, async ({ open }) => {
  const page = await open("admin");
  await visit(page, "/directory/users/admin");
  await page.getByRole("link", { name: "Deactivate" }).click();
  await shows(page.locator("form"), "This is you.");
  expectFault(page, /status of 422/);
  await button(page, "Deactivate").click();
  await arrives(page, /\/end$/);
  await shows(page.getByRole("alert"), "nobody else is an administrator");
});
