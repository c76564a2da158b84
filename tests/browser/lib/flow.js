// A test: people at browsers of one site, and the checks of every page that they load.
// @ts-check
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { PASSWORD } from "./directory.js";
import { openSite } from "./site.js";
import { watch } from "./watch.js";

/** How long anything may take before a test fails. */
const LIMIT_MS = 10_000;
const TEST_LIMIT_MS = 120_000;
/** Where everybody sits. */
const ZONE = "Europe/Berlin";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("playwright-core").BrowserContextOptions} Options */

/**
 * @typedef {object} Reception
 * @property {(login: string | null, options?: Options) => Promise<Page>} open A person, signed in, at a browser of
 *   their own that has loaded nothing; nobody where `null`
 */

/** @type {WeakMap<import("playwright-core").BrowserContext, import("./watch.js").Watch>} */
const watches = new WeakMap();

/** @typedef {() => Promise<Site>} Held The site of a file, once it is there */

/**
 * A site for all tests of a file.
 * @param {{ lines?: object[], prepare?: (site: Site) => Promise<void> }} [of] its directory, and what happened there
 * @returns {Held}
 */
export function withSite({ lines, prepare } = {}) {
  /** @type {Promise<Site> | undefined} */
  let opening;
  after(async () => (await opening?.catch(() => undefined))?.close());
  return () => {
    opening ??= openSite(lines).then(async (site) => {
      await prepare?.(site);
      return site;
    });
    return opening;
  };
}

/**
 * A test that fails also for what was wrong with any page on its way.
 * @param {string} name @param {Held} held @param {(reception: Reception, site: Site) => Promise<void>} body
 */
export function flow(name, held, body) {
  test(name, { timeout: TEST_LIMIT_MS }, async () => {
    const site = await held();
    /** @type {import("playwright-core").BrowserContext[]} */
    const contexts = [];
    const open = async (/** @type {string | null} */ login, /** @type {Options} */ options = {}) => {
      const page = await openFor(site, login, options);
      contexts.push(page.context());
      return page;
    };
    try {
      await body({ open }, site);
      assert.deepEqual((await Promise.all(contexts.map(faults))).flat(), []);
    } catch (error) {
      // What was wrong with a page is often why the test came to no good end.
      for (const fault of (await Promise.all(contexts.map(faultsNow))).flat()) console.error(`${name}: ${fault}`);
      throw error;
    } finally {
      await Promise.all(contexts.map((context) => context.close()));
    }
  });
}

/** @param {Site} site @param {string | null} login @param {Options} options */
async function openFor(site, login, options) {
  const context = await site.browser.newContext({
    baseURL: site.origin,
    viewport: { width: 1280, height: 860 },
    locale: "en-GB",
    timezoneId: ZONE,
    colorScheme: "light",
    ...options,
  });
  context.setDefaultTimeout(LIMIT_MS);
  const origins = [site.origin, options.baseURL ?? site.origin];
  watches.set(context, await watch(context, origins, options.javaScriptEnabled !== false));
  if (login) await signIn(site, context, login);
  return context.newPage();
}

/** Signs in behind the page, once for each person. @param {Site} site @param {any} context @param {string} login */
async function signIn(site, context, login) {
  if (!site.sessions.has(login)) {
    const answer = await context.request.post("/login", { form: { login, password: PASSWORD }, maxRedirects: 0 });
    assert.equal(answer.status(), 303, `${login} cannot log in`);
    site.sessions.set(login, await context.cookies());
  }
  // A person has seen the log-in, where a script tells the zone.
  const zone = { name: "campanile_zone", value: ZONE, url: site.origin };
  await context.addCookies([...site.sessions.get(login), zone]);
}

/** @param {import("playwright-core").BrowserContext} context */
async function faults(context) {
  return (await watches.get(context)?.faults()) ?? [];
}

/** @param {import("playwright-core").BrowserContext} context */
const faultsNow = (context) => watches.get(context)?.faultsNow() ?? [];

/** @param {Page} page */
function watchOf(page) {
  const watch = watches.get(page.context());
  if (!watch) throw new Error("a page that no flow has opened");
  return watch;
}

/** Logs in as a person does. @param {Page} page @param {string} login @param {string} [password] */
export async function logIn(page, login, password = PASSWORD) {
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Goes to an address, and waits until the page has all that it asks for. @param {Page} page @param {string} path */
export async function visit(page, path, status = 200) {
  const answer = await page.goto(path);
  assert.equal(answer?.status(), status, path);
  await settled(page);
}

/** Waits until a page has all that it asked for. @param {Page} page */
export const settled = (page) => watchOf(page).settled(page);

/**
 * A fault that the test brings about, such as the console's line about an answer of 422.
 * @param {Page} page @param {RegExp} text
 */
export const expectFault = (page, text) => watchOf(page).expect(text);

/** What the page at hand has cost so far. @param {Page} page */
export const loaded = (page) => watchOf(page).loaded(page);

/** What was wrong up to now. @param {Page} page */
export const faultsOf = (page) => faults(page.context());

/**
 * Waits until something shows this text.
 * @param {import("playwright-core").Locator} locator @param {string | RegExp} text
 */
export const shows = (locator, text) => locator.filter({ hasText: text, visible: true }).first().waitFor();

/** Waits until something is gone. @param {import("playwright-core").Locator} locator */
export const gone = (locator) => locator.waitFor({ state: "hidden" });

/** Waits until the page is at an address of this server. @param {Page} page @param {string | RegExp} path and query */
export const arrives = (page, path) =>
  page.waitForURL((url) => {
    const at = url.pathname + url.search;
    return typeof path === "string" ? at === path : path.test(at);
  });
