// A push service of this machine alone: what is posted to a subscription goes to the browser over the WebSocket that it keeps
// open, as Mozilla's does it. It reads nothing: only the browser can.
// @ts-check
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/**
 * @typedef {object} PushService
 * @property {string} host Where it listens: `127.0.0.1:PORT`
 * @property {import("node:http").IncomingHttpHeaders[]} posted The headers of what was posted, in order
 * @property {(count: number) => Promise<void>} read When the browser has read so many messages, and none in vain
 * @property {() => Promise<void>} close
 */

/** What it answers to what a browser asks for, beside the name of the question. */
const ANSWERS = {
  hello: () => ({ uaid: "0123456789abcdef0123456789abcdef", use_webpush: true, broadcasts: {} }),
  register: (/** @type {any} */ { channelID }, /** @type {string} */ host) =>
    ({ channelID, pushEndpoint: `http://${host}/${channelID}` }),
  unregister: (/** @type {any} */ { channelID }) => ({ channelID }),
};

/** @returns {Promise<PushService>} */
export async function openPushService() {
  /** @type {PushService["posted"]} */
  const posted = [];
  /** @type {number[]} */
  const read = [];
  let changed = () => {};
  /** @type {import("ws").WebSocket | undefined} */
  let browser;
  const server = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    posted.push(request.headers);
    const version = String(posted.length);
    const [channelID, data] = [request.url?.slice(1), Buffer.concat(parts).toString("base64url")];
    const headers = { encoding: "aes128gcm" };
    browser?.send(JSON.stringify({ messageType: "notification", channelID, version, data, headers }));
    answer.writeHead(201, { location: `/messages/${version}` }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  const sockets = new WebSocketServer({ server, handleProtocols: () => "push-notification" });
  sockets.on("connection", (socket) => {
    browser = socket;
    socket.on("message", (text) => {
      const { messageType, ...asked } = JSON.parse(String(text));
      if (messageType === "ack") {
        read.push(...asked.updates.map((/** @type {{ code: number }} */ update) => update.code));
        return changed();
      }
      const answer = ANSWERS[/** @type {keyof ANSWERS} */ (messageType)]?.(asked, host);
      // A question without a name asks whether anybody is there.
      socket.send(JSON.stringify(answer ? { messageType, status: 200, ...answer } : {}));
    });
  });
  return {
    host,
    posted,
    read: async (count) => {
      while (read.length < count) await /** @type {Promise<void>} */ (new Promise((resolve) => (changed = resolve)));
      if (read.some((code) => code !== 100)) throw new Error(`the browser could not read a message: ${read}`);
    },
    close: async () => {
      browser?.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
