// What was sent on the site whose pages are looked at.
// @ts-check

const TEXTS = [
  { title: "Card payments will be slower tonight", importance: "high", text: "From **22:00** for about an hour." },
  {
    title: "New prices from May",
    text: "What changes:\n\n- transfers\n- refunds\n\n[All](https://example.com/prices).",
  },
  { title: "Log in again after the key exchange", importance: "critical", text: "Keys were exchanged at noon." },
];

/**
 * Sends to everybody, to one person, who gets a correction, and to the subscribers of an API.
 * @param {import("./site.js").Site} site @returns {Promise<{ plain: string, corrected: string }>} ids of two messages
 */
export async function sendSome({ ask }) {
  const send = async (/** @type {object} */ message, as = "admin") =>
    (await ask("POST", "/api/v1/messages", message, as)).id;
  let plain = "";
  for (const text of TEXTS) plain = await send({ ...text, audience: [{ kind: "everyone" }] });
  const bert = [{ kind: "user", user: "u-bert" }];
  const corrected = await send({ title: "Harbor closed", text: "On Monday.", audience: bert });
  await ask("PATCH", `/api/v1/messages/${corrected}`, { title: "Harbour closed", text: "On **Tuesday**." });
  const subscribers = [{ kind: "subscribers", api: "payments" }];
  await send({ title: "Payments 2 is there", text: "Try it.", audience: subscribers }, "paul");
  return { plain, corrected };
}

/**
 * Makes applications that embed the server.
 * @param {import("./site.js").Site} site @returns {Promise<{ site: string, key: string }>} one of them, and its key
 */
export async function embedSome({ ask }) {
  const shop = { name: "Shop", origins: ["https://shop.example.com", "http://localhost:3000"], customer: 1 };
  const { id } = await ask("POST", "/api/v1/sites", shop);
  const key = await ask("POST", `/api/v1/sites/${id}/keys`, { algorithm: "HS256" });
  await ask("POST", "/api/v1/sites", { name: "Status page" });
  return { site: id, key: key.id };
}

/** A time so many days from now. @param {number} days */
const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+/, "");

/**
 * Announces to everybody, to customers and to a role: now, later, over, and switched off.
 * @param {import("./site.js").Site} site @returns {Promise<{ critical: string }>} the id of one to be acknowledged
 */
export async function announceSome({ ask }) {
  const customer = (/** @type {number} */ number, below = false) => [
    { kind: "customer", customer: number, include_sub_customers: below },
  ];
  const send = async (/** @type {object} */ message) => {
    const usual = { channels: ["banner"], format: "style-tags", sender_name: "Operations", audience: [{ kind: "everyone" }] };
    return (await ask("POST", "/api/v1/messages", { ...usual, ...message })).id;
  };
  await send({ text: "Maintenance on [b]Sunday[/b], 22:00 to 23:30. The portal stays readable.", importance: "high", closes_at: inDays(3) });
  const critical = await send({
    title: "Gateway certificates must be renewed by Friday",
    text: 'Clients that pin the old chain will be refused. [link="https://example.com/renew"]What to do[/link]',
    importance: "critical",
    channels: ["portal", "banner"],
    must_acknowledge: true,
    sender_name: "Platform Security",
    closes_at: inDays(12),
    audience: customer(1, true),
  });
  await send({ text: "Holiday support hours: [i]24 December to 2 January, 9 to 12[/i].", closes_at: inDays(20), audience: customer(1) });
  await send({
    text: "To administrators only.",
    audience: [{ kind: "environment_role", role: "ADMIN" }],
    closes_at: inDays(20),
  });
  const gone = await send({ text: "Sent by mistake", importance: "high" });
  await ask("POST", `/api/v1/messages/${gone}/recall`);
  await send({ text: "A new billing page", opens_at: inDays(9), closes_at: inDays(16), audience: customer(3) });
  await send({ text: "Prices of next year", opens_at: inDays(21), importance: "high" });
  await send({ text: "Not yet agreed: the old console closes", enabled: false, importance: "critical", audience: customer(1, true) });
  return { critical };
}
