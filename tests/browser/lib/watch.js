// What holds for every page that a test loads, whatever else the test is about: nothing on the console, no failed
// script, nothing against the content policy, everything from this server, at most so many bytes, nothing that moves
// while the page arrives, nothing wider than the window.
// @ts-check

/** Bytes of a page with all that it loads, as they come over the wire. */
const MOST_BYTES = 100 * 1024;
/** How much may move while a page arrives, as browsers measure it (Layout Instability): next to nothing. */
const MOST_SHIFT = 0.01;

/**
 * @typedef {object} Loaded a document, and what it cost
 * @property {string} url
 * @property {number} bytes
 * @property {number} shift
 */

/**
 * @typedef {object} Watch
 * @property {(text: RegExp) => void} expect A fault that the test brings about; without it the test fails
 * @property {(page: import("playwright-core").Page) => Promise<void>} settled When a page has all that it asked for
 * @property {(page: import("playwright-core").Page) => Loaded | undefined} loaded What the page at hand cost so far
 * @property {() => string[]} faultsNow What was wrong up to now, expected or not
 * @property {() => Promise<string[]>} faults What was wrong in the end
 */

/**
 * Watches all pages of a context.
 * @param {import("playwright-core").BrowserContext} context @param {string[]} origins from where all comes
 * @param {boolean} scripts
 * @returns {Promise<Watch>}
 */
export async function watch(context, origins, scripts) {
  /** @type {string[]} */
  const faults = [];
  /** @type {RegExp[]} */
  const expected = [];
  const network = watchNetwork(context, origins, faults);
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`script: ${error.error().message}`));
  await context.exposeBinding("campanileSaw", ({ page }, what) => {
    if (what.kind === "shift") {
      const loaded = network.loaded(page);
      if (loaded) loaded.shift += what.value;
      if (loaded && loaded.shift > MOST_SHIFT) faults.push(`layout shift: ${what.value.toFixed(4)} at ${what.text}`);
    } else {
      faults.push(`${what.kind}: ${what.text}`);
    }
  });
  await context.addInitScript(inDocument);
  return {
    expect: (text) => expected.push(text),
    loaded: network.loaded,
    settled: async (page) => {
      if (scripts) await page.evaluate(modulesLoaded);
      await network.quiet();
      if (scripts) await page.evaluate(twoFrames);
    },
    faultsNow: () => faults,
    faults: async () => {
      for (const page of context.pages()) if (scripts) await page.evaluate(twoFrames);
      await network.quiet();
      for (const { url, bytes } of network.all()) {
        if (bytes > MOST_BYTES) faults.push(`weight: ${bytes} bytes at ${url}`);
      }
      return verdict(faults, expected);
    },
  };
}

/**
 * The faults that nobody expected, and the expectations that nothing met.
 * @param {string[]} faults @param {RegExp[]} expected
 */
export function verdict(faults, expected) {
  const missing = expected.filter((text) => !faults.some((fault) => text.test(fault)));
  return [
    ...faults.filter((fault) => !expected.some((text) => text.test(fault))),
    ...missing.map((text) => `expected, and did not happen: ${text}`),
  ];
}

/** @param {import("playwright-core").BrowserContext} context @param {string[]} origins @param {string[]} faults */
function watchNetwork(context, origins, faults) {
  /** @type {WeakMap<import("playwright-core").Page, Loaded>} */
  const current = new WeakMap();
  /** @type {Loaded[]} */
  const all = [];
  /** @type {Map<import("playwright-core").Request, Loaded | undefined>} */
  const open = new Map();
  /** @type {(() => void)[]} */
  let waiting = [];
  context.on("request", (request) => {
    if (!origins.some((origin) => request.url().startsWith(`${origin}/`))) faults.push(`foreign: ${request.url()}`);
    // A stream of events stays open for as long as the page does; a service worker is of no page.
    if (request.resourceType() === "eventsource" || request.serviceWorker()) return;
    const page = request.frame().page();
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) {
      const loaded = { url: request.url(), bytes: 0, shift: 0 };
      current.set(page, loaded);
      all.push(loaded);
    }
    open.set(request, current.get(page));
  });
  const done = (/** @type {import("playwright-core").Request} */ request) => {
    open.delete(request);
    if (open.size > 0) return;
    for (const go of waiting) go();
    waiting = [];
  };
  context.on("requestfailed", done);
  context.on("requestfinished", async (request) => {
    const loaded = open.get(request);
    const sizes = await request.sizes().catch(() => ({ responseBodySize: 0, responseHeadersSize: 0 }));
    if (loaded) loaded.bytes += sizes.responseBodySize + sizes.responseHeadersSize;
    done(request);
  });
  return {
    loaded: (/** @type {import("playwright-core").Page} */ page) => current.get(page),
    all: () => all,
    quiet: () => /** @type {Promise<void>} */ (new Promise((go) => (open.size === 0 ? go() : waiting.push(go)))),
  };
}

// ---------------------------------------------------------------- what runs in the page

/** Tells of what only the document itself can see. */
function inDocument() {
  // @ts-ignore the binding
  const tell = (kind, text, value = 0) => window.campanileSaw({ kind, text, value });
  document.addEventListener("securitypolicyviolation", (event) =>
    tell("policy", `${event.effectiveDirective} refuses ${event.blockedURI} ${event.sample}`));
  const named = (/** @type {any} */ source) => {
    const node = source.node instanceof Element ? source.node : source.node?.parentElement;
    return node ? `${node.tagName.toLowerCase()}.${node.className}` : "?";
  };
  // A banner that comes or goes while the page is open moves what is below it, as a press would.
  const RECENT_MS = 500;
  let banners = -RECENT_MS;
  addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("banners");
    if (place) new MutationObserver(() => (banners = performance.now())).observe(place, { childList: true });
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of /** @type {any[]} */ (list.getEntries())) {
      const moved = entry.sources.map(named).join(", ");
      const isBanner = Math.abs(entry.startTime - banners) < RECENT_MS;
      if (!entry.hadRecentInput && !isBanner) tell("shift", `${location.pathname}: ${moved}`, entry.value);
    }
  });
  observer.observe({ type: "layout-shift", buffered: true });
  addEventListener("load", () => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) tell("overflow", `${location.pathname}: ${scrollWidth} in ${clientWidth} pixels`);
  });
}

/** Waits for the modules that parts of the page bring. Those that have come are not fetched again. */
async function modulesLoaded() {
  const script = document.querySelector('script[src$="/console.js"]');
  const names = [...document.querySelectorAll("[data-module]")].map((element) => element.getAttribute("data-module"));
  await Promise.all(names.map((name) => import(new URL(`${name}.js`, /** @type {any} */ (script).src).href)));
}

/** What a frame changed has been measured at the end of the next. */
function twoFrames() {
  return new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
}
