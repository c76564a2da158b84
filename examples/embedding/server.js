// A site that embeds Campanile: its pages show bell, inbox and banners of whoever is signed in at the site.
//
// What a real site has of this is one route: it knows who is signed in, and signs a token for them (`/campanile-token`).
// The rest is here so that the example stands alone. Node's own modules, nothing else; README.md says how to start it.
// @ts-check
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

/** For how long a token is good: the elements ask for a new one by themselves. */
const LIFETIME_S = 300;

/** @param {string} name */
function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}; README.md says to what`);
  return value;
}

const campanile = new URL(setting("CAMPANILE_URL")).origin;
const [keyId, secret] = [setting("CAMPANILE_SITE_KEY"), setting("CAMPANILE_SITE_SECRET")];

/** @param {object} part */
const base64url = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** A token of this site for a user, as Campanile knows them (RFC 7519, HS256). @param {string} user */
function token(user) {
  const now = Math.floor(Date.now() / 1_000);
  const header = { alg: "HS256", typ: "JWT", kid: keyId };
  const claims = { aud: campanile, sub: user, iat: now, exp: now + LIFETIME_S };
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

// Nothing runs, and nothing is asked, but by this site and by Campanile; HTML is written by Campanile's policy alone.
const POLICY = [
  "default-src 'none'",
  `script-src ${campanile}`,
  `style-src 'self' ${campanile}`,
  `img-src ${campanile}`,
  `connect-src 'self' ${campanile}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types campanile",
].join("; ");

/** Who is signed in at this site: a real one keeps a secret in its cookie. @param {import("node:http").IncomingMessage} request */
const userOf = (request) => decodeURIComponent(/(?:^|; )user=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "");

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** @param {import("node:http").IncomingMessage} request @returns {Promise<[number, Record<string, string>, string | Buffer]>} */
async function answer(request) {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://site");
  const file = (/** @type {string} */ name) => readFile(new URL(name, import.meta.url), "utf8");
  if (pathname === "/campanile-token") {
    // No cross-site page reads this: it says nothing about other origins.
    const user = userOf(request);
    return user ? [200, { "content-type": "text/plain", "cache-control": "no-store" }, token(user)] : [401, {}, ""];
  }
  if (pathname === "/sign-in") {
    const cookie = `user=${encodeURIComponent(searchParams.get("user") ?? "")}; Path=/; HttpOnly; SameSite=Lax`;
    return [303, { location: "/", "set-cookie": cookie }, ""];
  }
  if (pathname === "/site.css") return [200, { "content-type": "text/css; charset=utf-8" }, await file("site.css")];
  if (pathname !== "/") return [404, { "content-type": "text/plain" }, "not found"];
  const user = userOf(request);
  const page = await file(user ? "page.html" : "sign-in.html");
  const html = page.replaceAll("{campanile}", campanile).replaceAll("{user}", escaped(user));
  return [200, { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY }, html];
}

const server = createServer(async (request, response) => {
  const [status, headers, body] = await answer(request);
  response.writeHead(status, headers).end(body);
});
server.listen(Number(process.env.PORT ?? 8090), "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${port}`);
});
