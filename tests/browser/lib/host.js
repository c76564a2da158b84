// The example of a site that embeds Campanile (examples/embedding), on an origin of its own.
// @ts-check
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../../examples/embedding/server.js", import.meta.url));

/** A port that nobody has. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * @typedef {object} Host
 * @property {string} origin
 * @property {string} site its id at Campanile
 * @property {string} key the id of its key
 * @property {() => Promise<void>} close
 */

/** Registers the site and starts it. @param {import("./site.js").Site} campanile @returns {Promise<Host>} */
export async function openHost(campanile) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { id: site } = await campanile.ask("POST", "/api/v1/sites", { name: `Harbour Freight ${port}`, origins: [origin] });
  const key = await campanile.ask("POST", `/api/v1/sites/${site}/keys`, { algorithm: "HS256" });
  const env = {
    ...process.env,
    PORT: String(port),
    CAMPANILE_URL: campanile.origin,
    CAMPANILE_SITE_KEY: key.id,
    CAMPANILE_SITE_SECRET: key.secret,
  };
  const child = spawn(process.execPath, [script], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the example ended with ${code}`)));
    createInterface(child.stdout).once("line", resolve);
  });
  const close = async () => {
    child.kill();
    await ended;
  };
  return { origin, site, key: key.id, close };
}
