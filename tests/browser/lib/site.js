// A running console: a server of its own on a fresh database with a small directory, and a browser.
// @ts-check
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { launch } from "./chromium.js";
import { PASSWORD, directory } from "./directory.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const binary = process.env.CAMPANILE_TEST_BINARY ?? join(root, "target/debug/campanile");

/**
 * @typedef {object} House
 * @property {string} origin `http://127.0.0.1:PORT`
 * @property {(method: string, path: string, body?: unknown, as?: string) => Promise<any>} ask What a person, admin by
 *   default, asks of the API
 * @property {() => Promise<() => Promise<void>>} kill Kills the server, as a crash does; starts it again, at the same
 *   address
 * @property {() => Promise<void>} close Ends it and removes its files
 */

/**
 * @typedef {House & Browsers} Site
 * @typedef {object} Browsers
 * @property {import("playwright-core").Browser} browser
 * @property {Map<string, any>} sessions The cookies of those who have logged in, by login
 */

/**
 * Starts a server and a browser.
 * @param {object[]} [lines] the directory
 * @returns {Promise<Site>}
 */
export async function openSite(lines) {
  const house = await openHouse(lines);
  try {
    const browser = await launch();
    const close = async () => {
      await browser.close();
      await house.close();
    };
    return { ...house, browser, close, sessions: new Map() };
  } catch (error) {
    await house.close();
    throw error;
  }
}

/**
 * Starts a server.
 * @param {object[]} [lines] the directory
 * @param {Record<string, string>} [settings] beside those of all tests
 * @returns {Promise<House>}
 */
export async function openHouse(lines = directory(), settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), "campanile-browser-"));
  const env = { ...environment(folder), ...settings };
  let server = serve(env);
  const close = async () => {
    await server.end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const origin = await listening(server.child);
    await run(["import", "-"], env, lines.map((line) => JSON.stringify(line)).join("\n"));
    const tokens = new Map();
    /** @type {House["ask"]} */
    const ask = async (method, path, body, as = "admin") => {
      if (!tokens.has(as)) tokens.set(as, (await run(["token", "tests", "--user", as], env)).trim());
      const headers = { authorization: `Bearer ${tokens.get(as)}`, "content-type": "application/json" };
      const response = await fetch(origin + path, { method, headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.status === 204 ? undefined : response.json();
    };
    const kill = async () => {
      await server.end("SIGKILL");
      return async () => {
        server = serve({ ...env, CAMPANILE_LISTEN: new URL(origin).host });
        await listening(server.child);
      };
    };
    return { origin, ask, kill, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts a server. @param {NodeJS.ProcessEnv} env */
function serve(env) {
  const child = spawn(binary, ["serve"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const end = async (/** @type {NodeJS.Signals} */ signal) => {
    child.kill(signal);
    await ended;
  };
  return { child, end };
}

/** Settings of the tests alone: what this machine says about Campanile stays out. @param {string} folder */
function environment(folder) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("CAMPANILE_"));
  return {
    ...Object.fromEntries(own),
    CAMPANILE_DATABASE: `sqlite://${join(folder, "site.db")}`,
    CAMPANILE_LISTEN: "127.0.0.1:0",
    CAMPANILE_ADMIN_PASSWORD: PASSWORD,
    CAMPANILE_LOG_LEVEL: "warn",
  };
}

/** Where the server listens. @param {import("node:child_process").ChildProcess} server @returns {Promise<string>} */
function listening(server) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    if (!server.stdout) throw new Error("the server has no output");
    createInterface(server.stdout).on("line", (line) => {
      const address = /listening on (http:\/\/\S+)/.exec(line);
      if (address) resolve(address[1]);
    });
  });
}

/** Runs a command of the binary. @param {string[]} args @param {NodeJS.ProcessEnv} env @param {string} [input] */
function run(args, env, input = "") {
  return new Promise((resolve, reject) => {
    const child = execFile(binary, args, { env }, (error, stdout, stderr) =>
      error ? reject(new Error(`campanile ${args.join(" ")}: ${stderr || error.message}`)) : resolve(stdout));
    // A command that does not read to the end says why by its exit code.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
