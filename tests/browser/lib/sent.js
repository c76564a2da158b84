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
