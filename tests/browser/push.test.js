// Devices: this browser is registered on a click, and its service worker shows what is pushed. Chromium has no push
// service here, so pushing is done with the browser's own tools; what the server sends has its tests there.
// @ts-check
import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { directory } from "./lib/directory.js";
import { expectFault, flow, logIn, settled, shows, visit, withSite } from "./lib/flow.js";

const held = withSite({ lines: directory() });
const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

/** A push message as the server writes it. @param {string} kind @param {number} message @param {string} title @param {number} [ago] */
function note(kind, message, title, ago = 0) {
  const data = { kind, message, sent_at: new Date(Date.now() - ago).toISOString(), summary: "Unread messages: 4" };
  const navigate = `/inbox/${message}`;
  const notification = { title, body: "Text", navigate, tag: `tag-${message}`, lang: "en", requireInteraction: false, data };
  return JSON.stringify({ notification, app_badge: 1 });
}

flow("a browser without a push service says so, and shows what is pushed all the same", held, async ({ open }, site) => {
  const page = await open("una");
  const context = page.context();
  await context.grantPermissions(["notifications"], { origin: site.origin });
  const tools = await context.newCDPSession(page);
  /** @type {Promise<string>} */
  const registered = new Promise((resolve) => {
    tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      if (registrations[0]) resolve(registrations[0].registrationId);
    });
  });
  await tools.send("ServiceWorker.enable");
  await visit(page, "/me/devices");
  expectFault(page, /does not support the Push API in incognito mode/);
  const card = page.locator("[data-module=push]");
  await shows(card, "tells you of nothing while no page is open");
  await card.getByRole("button", { name: "Tell me here" }).click();
  await shows(card, "push service does not answer");

  const registrationId = await registered;
  const [worker] = context.serviceWorkers();
  // Nobody looks at a page of this server.
  await page.goto("about:blank");
  /** Pushes, and waits until the device shows notifications of these titles. @param {string} data @param {string[]} titles */
  const push = async (data, ...titles) => {
    await tools.send("ServiceWorker.deliverPushMessage", { origin: site.origin, registrationId, data });
    await worker.evaluate(async (wanted) => {
      const title = (/** @type {Notification} */ one) => one.title;
      const shown = async () => (await /** @type {any} */ (self).registration.getNotifications()).map(title).join();
      // Nobody tells when a notification comes or goes.
      while ((await shown()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 20));
    }, titles.join());
  };
  await push(note("message", 1, "Tonight"), "Tonight");
  await push(note("message", 1, "Tomorrow"), "Tomorrow");
  await push(note("recalled", 1, "A message was taken back"));
  await push(note("message", 2, "First", WEEK_MS), "First");
  await push(note("message", 3, "Second", WEEK_MS), "Unread messages: 4");
});

flow("a push service that does not answer is waited for for so long", held, async ({ open }, site) => {
  const page = await open("carol");
  await page.context().grantPermissions(["notifications"], { origin: site.origin });
  await page.addInitScript(() => {
    PushManager.prototype.subscribe = () => new Promise(() => document.documentElement.setAttribute("data-asked", ""));
  });
  await page.clock.install();
  await visit(page, "/me/devices");
  const card = page.locator("[data-module=push]");
  await card.getByRole("button", { name: "Tell me here" }).click();
  await page.locator("[data-asked]").waitFor();
  await page.clock.fastForward(14_000);
  await shows(card, "Waiting for");
  await page.clock.fastForward(2_000);
  await shows(card, "push service does not answer");
});

flow("who logs out is told of nothing there any more", held, async ({ open }, site) => {
  const page = await open(null);
  await visit(page, "/login");
  await logIn(page, "bert");
  await page.waitForURL("**/inbox");
  const own = createECDH("prime256v1").generateKeys("base64url");
  const device = { endpoint: "https://push.example.com/1", keys: { p256dh: own, auth: randomBytes(16).toString("base64url") } };
  const made = await page.context().request.post("/api/v1/me/devices", { data: device });
  assert.equal(made.status(), 201, await made.text());
  const { id } = await made.json();
  await page.evaluate((id) => localStorage.setItem("campanile-device", id), id);
  const devices = async () => (await site.ask("GET", "/api/v1/me/devices", undefined, "bert")).devices;
  assert.equal((await devices()).length, 1);
  await visit(page, "/me");
  await page.locator("details.menu summary").click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/login**");
  assert.deepEqual(await devices(), []);
  await settled(page);
});

flow("the console can be installed, and its icon says how much is unread", held, async ({ open }, site) => {
  const page = await open("paul");
  await page.addInitScript(() => {
    // @ts-ignore what the icon would show
    navigator.setAppBadge = async (number) => document.documentElement.setAttribute("data-badge", String(number));
  });
  await visit(page, "/me");
  const tools = await page.context().newCDPSession(page);
  const { url, errors, data } = await tools.send("Page.getAppManifest");
  assert.deepEqual({ url, errors }, { url: `${site.origin}/manifest.webmanifest`, errors: [] });
  const { installabilityErrors } = await tools.send("Page.getInstallabilityErrors");
  // Tests sit in contexts that keep nothing.
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId), ["in-incognito"]);
  const { icons, start_url: start, display } = JSON.parse(data ?? "");
  assert.deepEqual({ start, display }, { start: "/inbox", display: "standalone" });
  const pictures = icons.filter((/** @type {{ type: string }} */ { type }) => type === "image/png");
  const sizes = await Promise.all(pictures.map(async (/** @type {{ src: string }} */ { src }) => {
    // Width and height stand at fixed places of a PNG. The page itself loads none of them.
    const bytes = Buffer.from(await (await fetch(new URL(src, site.origin))).arrayBuffer());
    return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
  }));
  assert.deepEqual(sizes, ["192x192", "512x512", "512x512"]);

  await page.locator("[data-badge='0']").waitFor();
  await site.ask("POST", "/api/v1/messages", { title: "One", text: "Text", audience: [{ kind: "user", user: "u-paul" }] });
  await page.locator("[data-badge='1']").waitFor();
  await settled(page);
});
