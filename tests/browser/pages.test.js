// Every page of the console but those of the directory and of announcements: what axe says, its weight, its narrowest
// width, and pictures of it in artifacts/browser.
// @ts-check
import assert from "node:assert/strict";
import { directory } from "./lib/directory.js";
import { expectFault, flow, logIn, shows, visit, withSite } from "./lib/flow.js";
import { look, moving } from "./lib/look.js";
import { embedSome, sendSome } from "./lib/sent.js";

/** @type {Record<string, string>} */
let sent = {};
// Rita reads the directory, and sends nothing.
const READER = [
  { kind: "role", scope: "ORGANIZATION", name: "READER", permissions: { USER: "R" } },
  { kind: "membership", user: "u-rita", on: { organization: "DEFAULT" }, role: "READER" },
];

const held = withSite({
  lines: [...directory("rita"), ...READER],
  prepare: async (site) => {
    sent = { ...(await sendSome(site)), ...(await embedSome(site)) };
  },
});

flow("the log-in", held, ({ open }) => open(null).then((page) => look(page, "/login", "login")));

flow("the log-in that refuses", held, async ({ open }) => {
  const page = await open(null);
  expectFault(page, /status of 422/);
  await look(page, "/login", "login-refused", {
    ready: async () => {
      await logIn(page, "nobody", "nothing");
      await shows(page.getByRole("alert"), "wrong");
    },
  });
});

flow("an address where nothing is", held, async ({ open }) => {
  const page = await open("una");
  expectFault(page, /status of 404/);
  await look(page, "/nowhere", "nowhere", { status: 404 });
});

/** Name of the pictures, address, who looks. @type {[string, string, string][]} */
const PAGES = [
  ["inbox", "/inbox", "una"],
  ["inbox-search", "/inbox?q=prices", "una"],
  ["inbox-empty", "/inbox?view=archived", "una"],
  ["inbox-message", "/inbox/{plain}", "bert"],
  ["messages", "/messages", "admin"],
  ["messages-new", "/messages/new", "admin"],
  ["message", "/messages/{plain}", "admin"],
  ["message-people", "/messages/{plain}/people", "admin"],
  ["message-correct", "/messages/{plain}/correct", "admin"],
  ["message-recall", "/messages/{plain}/recall", "admin"],
  ["message-changes", "/messages/{corrected}/changes", "admin"],
  ["apis", "/apis", "paul"],
  ["api", "/apis/payments", "paul"],
  ["api-new", "/apis/payments/messages/new", "paul"],
  ["me", "/me", "una"],
  ["me-password", "/me/password", "una"],
  ["me-tokens", "/me/tokens", "una"],
  ["me-ticket", "/me/ticket", "una"],
  ["me-devices", "/me/devices", "una"],
  ["me-sessions", "/me/sessions", "una"],
  ["start", "/start", "admin"],
  ["journal", "/journal", "admin"],
  ["journal-narrowed", "/journal?kind=message&action=corrected", "admin"],
  ["journal-empty", "/journal?q=nothing+of+the+sort", "admin"],
  ["sites", "/sites", "admin"],
  ["sites-new", "/sites/new", "admin"],
  ["site", "/sites/{site}", "admin"],
  ["site-change", "/sites/{site}/edit", "admin"],
  ["site-end", "/sites/{site}/end", "admin"],
  ["site-key-end", "/sites/{site}/keys/{key}/end", "admin"],
];

for (const [name, path, login] of PAGES) {
  flow(`${path} for ${login}`, held, async ({ open }) =>
    look(await open(login), path.replace(/\{(\w+)\}/g, (_, which) => sent[which]), name));
}

/** Who walks, and pages that must have been on the way. @type {[string, string[]][]} */
const WALKS = [
  ["admin", ["/messages/new", "/announcements/new", "/announcements/year", "/directory/import", "/me/tokens", "/journal", "/sites/new"]],
  ["ada", ["/messages/new", "/me/tokens"]],
  ["paul", ["/apis/payments", "/apis/payments/messages/new"]],
  ["rita", ["/apis/payments", "/directory/users"]],
  ["una", ["/inbox", "/me/sessions"]],
];

for (const [login, places] of WALKS) {
  flow(`every link leads somewhere for ${login}`, held, async ({ open }) => walk(await open(login), places));
}

/** Follows every link. @param {import("playwright-core").Page} page @param {string[]} places */
async function walk(page, places) {
  const wrong = [];
  const seen = new Set(["/"]);
  for (const path of seen) {
    const answer = await page.request.get(path);
    if (answer.status() !== 200) wrong.push(`${path}: ${answer.status()}`);
    if (!answer.headers()["content-type"]?.startsWith("text/html") || path.startsWith("/api/")) continue;
    for (const [, href] of (await answer.text()).matchAll(/<a [^>]*href="(\/[^"]*)/g)) {
      const next = href.replaceAll(/&(amp|#38);/g, "&").replace(/#.*/, "");
      // The same page with other parameters leads to the same pages.
      const place = next.replace(/=[^&]*/g, "=");
      if ([...seen].every((other) => other.replace(/=[^&]*/g, "=") !== place)) seen.add(next);
    }
  }
  assert.deepEqual(wrong, []);
  for (const path of places) assert.ok(seen.has(path), path);
}

flow("the panel under the bell", held, async ({ open }) =>
  look(await open("carol"), "/inbox?view=past", "panel", {
    ready: async (page) => {
      await page.locator("#bell").click();
      await shows(page.locator("#panel .item .t"), "New prices from May");
    },
  }));

flow("a key whose secret is told once", held, async ({ open }) =>
  look(await open("admin"), `/sites/${sent.site}`, "site-key-made", {
    ready: async (page) => {
      await page.getByRole("button", { name: "Add the key" }).click();
      await shows(page.locator(".made code").first(), "cmpsite_");
    },
  }));

flow("the menu of one's own", held, async ({ open }) =>
  look(await open("carol"), "/inbox", "menu", {
    within: ".menu",
    ready: async (page) => {
      await page.locator("details.menu summary").click();
      await page.getByRole("button", { name: "Log out" }).waitFor();
    },
  }));

flow("what differs in the journal", held, async ({ open }) =>
  look(await open("admin"), "/journal?action=corrected", "journal-open", {
    ready: async (page) => {
      await page.locator(".journal summary").first().click();
      await shows(page.locator(".journal ins"), "Harbour closed");
    },
  }));

flow("nothing moves for who wants no motion", held, async ({ open }) => {
  const page = await open("una");
  await visit(page, "/inbox");
  assert.notDeepEqual(await moving(page), [], "something moves for others");
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.deepEqual(await moving(page), []);
});

/** Address, a heading there, who looks. @type {[string, string, string | null][]} */
const GERMAN = [
  ["/login", "Anmelden", null],
  ["/inbox", "Eingang", "una"],
  ["/messages/new", "Neue Nachricht", "admin"],
  ["/announcements/new", "Neue Ankündigung", "admin"],
  ["/announcements/year", "Ankündigungen", "admin"],
  ["/directory/users", "Benutzer", "admin"],
  ["/me", "Profil", "una"],
  ["/journal", "Journal", "admin"],
];

for (const [path, heading, login] of GERMAN) {
  flow(`${path} in German`, held, async ({ open }) => {
    const page = await open(login, { locale: "de-DE" });
    await look(page, path, `german${path.replaceAll("/", "-")}`);
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    await shows(page.getByRole("heading", { level: 1 }), heading);
  });
}
