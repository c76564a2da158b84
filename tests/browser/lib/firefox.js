// The system's Firefox, driven by WebDriver BiDi over a WebSocket: playwright-core drives a Firefox of its own alone.
// @ts-check
import { spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { executable } from "./chromium.js";

/** Nothing is asked of anybody but the server under test. */
const QUIET = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.server": "data:,",
};

/**
 * @typedef {object} Tab
 * @property {(address: string) => Promise<void>} visit Until it is loaded
 * @property {() => Promise<void>} loaded When the next page is loaded
 * @property {<A extends any[], T>(work: (...args: A) => T | Promise<T>, ...args: A) => Promise<T>} run Runs a function in its
 *   page, as if somebody had pressed something there
 */

/**
 * @typedef {object} Firefox
 * @property {() => Promise<Tab>} tab A new tab, in front
 * @property {() => Promise<void>} close
 */

/** Starts it without a window. @param {Record<string, string | number | boolean>} preferences @returns {Promise<Firefox>} */
export async function launchFirefox(preferences) {
  const profile = await mkdtemp(join(tmpdir(), "campanile-firefox-"));
  const lines = Object.entries({ ...QUIET, ...preferences });
  const text = lines.map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join("");
  await writeFile(join(profile, "user.js"), text);
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const child = spawn(executable(["firefox-esr", "firefox"]), args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const end = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const wire = await connect(await address(child));
    await wire.ask("session.new", { capabilities: {} });
    await wire.ask("session.subscribe", { events: ["browsingContext.load"] });
    const close = async () => {
      wire.close();
      await end();
    };
    return { tab: () => openTab(wire), close };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Where it waits for commands. @param {import("node:child_process").ChildProcess} child @returns {Promise<string>} */
function address(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Firefox ended with ${code}`)));
    createInterface(/** @type {import("node:stream").Readable} */ (child.stderr)).on("line", (line) => {
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line);
      if (found) resolve(`${found[1]}/session`);
    });
  });
}

/**
 * @typedef {object} Wire
 * @property {(method: string, params: object) => Promise<any>} ask A command, and its answer
 * @property {EventEmitter} events by their names
 * @property {() => void} close
 */

/** @param {string} address @returns {Promise<Wire>} */
async function connect(address) {
  const socket = new WebSocket(address);
  await once(socket, "open");
  /** @type {Map<number, (answer: any) => void>} */
  const asked = new Map();
  const events = new EventEmitter();
  socket.on("message", (text) => {
    const said = JSON.parse(String(text));
    if (said.type === "event") return events.emit(said.method, said.params);
    asked.get(said.id)?.(said);
    asked.delete(said.id);
  });
  let last = 0;
  const ask = async (/** @type {string} */ method, /** @type {object} */ params) => {
    last += 1;
    const id = last;
    const answered = new Promise((resolve) => asked.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const answer = await answered;
    if (answer.type === "error") throw new Error(`${method}: ${answer.error}: ${answer.message}`);
    return answer.result;
  };
  return { ask, events, close: () => socket.terminate() };
}

/** @param {Wire} wire @returns {Promise<Tab>} */
async function openTab({ ask, events }) {
  const { context } = await ask("browsingContext.create", { type: "tab" });
  return {
    visit: (url) => ask("browsingContext.navigate", { context, url, wait: "complete" }),
    loaded: async () => {
      for await (const [of] of on(events, "browsingContext.load")) if (of.context === context) return;
    },
    run: async (work, ...args) => {
      const functionDeclaration = `async (args) => JSON.stringify([await (${work})(...JSON.parse(args))])`;
      const given = [{ type: "string", value: JSON.stringify(args) }];
      const how = { awaitPromise: true, userActivation: true, target: { context }, arguments: given };
      const { result, exceptionDetails } = await ask("script.callFunction", { functionDeclaration, ...how });
      if (exceptionDetails) throw new Error(exceptionDetails.text);
      return JSON.parse(result.value)[0];
    },
  };
}
