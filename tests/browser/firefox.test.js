// Web Push by the real way: our server posts to a push service, which hands it to Firefox, which decrypts it and has our
// service worker show it. The push service is one of this machine; everything else is what it is for everybody.
// @ts-check
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, directory } from "./lib/directory.js";
import { launchFirefox } from "./lib/firefox.js";
import { openPushService } from "./lib/push-service.js";
import { openHouse } from "./lib/site.js";

const HOW = { timeout: 60_000 };

/** @type {import("./lib/push-service.js").PushService} */
let service;
/** @type {import("./lib/site.js").House} */
let house;
/** @type {import("./lib/firefox.js").Firefox} */
let firefox;
/** A tab that nobody looks at. @type {import("./lib/firefox.js").Tab} */
let tab;

before(async () => {
  service = await openPushService();
  house = await openHouse(directory(), { CAMPANILE_HTTP_ALLOW: "127.0.0.1" });
  firefox = await launchFirefox({
    "dom.push.connection.enabled": true,
    "dom.push.serverURL": `ws://${service.host}/`,
    "dom.push.testing.allowInsecureServerURL": true,
    // Allowed, as by a press; and shown by the browser, since this machine has nobody to show it.
    "permissions.default.desktop-notification": 1,
    "alerts.useSystemBackend": false,
  });
  tab = await firefox.tab();
  await tab.visit(`${house.origin}/login`);
  await tab.run(async (password) => {
    await fetch("/login", { method: "POST", body: new URLSearchParams({ login: "una", password }) });
  }, PASSWORD);
  await tab.visit(`${house.origin}/me/devices`);
  const done = tab.loaded();
  await tab.run(() => /** @type {HTMLElement} */ (document.querySelector("[data-module=push] button")).click());
  await done;
  await leave();
  await firefox.tab();
}, HOW);

after(async () => {
  await firefox?.close();
  await house?.close();
  await service?.close();
});

/** Leaves the console for an address of the same server that is no page of it. */
const leave = () => tab.visit(`${house.origin}/worker.js`);

/**
 * Sends to the one who sits there what is always told by itself.
 * @param {string} title @returns {Promise<string>} the message's id
 */
async function send(title) {
  const audience = [{ kind: "user", user: "u-una" }];
  return (await house.ask("POST", "/api/v1/messages", { title, text: "At **ten**.", importance: "critical", audience })).id;
}

/** Waits until notifications of these titles are shown, and no others. @param {string[]} titles */
const shows = (...titles) =>
  tab.run(async (wanted, limit) => {
    const shown = async () => {
      const registration = await navigator.serviceWorker.getRegistration("/");
      return JSON.stringify((await registration?.getNotifications())?.map(({ title }) => title).sort());
    };
    // Nobody tells when a notification comes or goes.
    for (const end = Date.now() + limit; (await shown()) !== wanted; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (Date.now() > end) throw new Error(`${await shown()} instead of ${wanted}`);
    }
  }, JSON.stringify(titles.sort()), 10_000);

test("what rings is decrypted and shown; an edit that rings replaces it, and a recall takes it away", HOW, async () => {
  const id = await send("Tonight");
  await shows("Tonight");
  await house.ask("PATCH", `/api/v1/messages/${id}`, { title: "Tomorrow", ring: true });
  await shows("Tomorrow");
  await house.ask("POST", `/api/v1/messages/${id}/recall`);
  await shows();
  await service.read(3);
  assert.equal(new Set(service.posted.map(({ topic }) => topic)).size, 1);
});

test("what was read elsewhere is closed by the next push, by the next page, and at once by a page that is open", HOW, async () => {
  const read = (/** @type {string} */ id) => house.ask("POST", `/api/v1/inbox/${id}/read`, undefined, "una");
  const [first, second] = [await send("First"), await send("Second")];
  await shows("First", "Second");
  await read(first);
  const third = await send("Third");
  await shows("Second", "Third");
  await read(second);
  await tab.visit(`${house.origin}/me/password`);
  await shows("Third");
  await read(third);
  await shows();
  await leave();
});
