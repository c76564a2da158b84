// A small directory: two administrators beside the first one, people who use an application, and one who uses nothing.
// @ts-check

/** The password of every account. */
export const PASSWORD = "a bell for everybody";

const user = (/** @type {string} */ login, /** @type {string} */ name, more = {}) => ({
  kind: "user",
  id: `u-${login}`,
  login,
  name,
  email: `${login}@example.com`,
  password: PASSWORD,
  ...more,
});

const member = (/** @type {string} */ login, /** @type {object} */ on, /** @type {string} */ role) => ({
  kind: "membership",
  user: `u-${login}`,
  on,
  role,
});

/** Its lines, as `campanile import` takes them. @param {string[]} others logins of plain users @returns {object[]} */
export function directory(...others) {
  const platform = { environment: "DEFAULT" };
  return [
    { kind: "customer", id: 1, name: "Northwind" },
    { kind: "customer", id: 2, name: "Northwind Retail", parent: 1 },
    { kind: "customer", id: 3, name: "Harbour Freight", parent: 1 },
    user("ada", "Ada Byron"),
    user("bert", "Bert Brecht"),
    user("carol", "Carol Reed", { customer: 2 }),
    user("una", "Una Larsen", { customer: 3 }),
    user("paul", "Paul Klee"),
    { kind: "group", id: "night-shift", name: "Night shift" },
    { kind: "api", id: "payments", name: "Payments", environment: "DEFAULT" },
    { kind: "application", id: "till", name: "Till", environment: "DEFAULT" },
    member("ada", platform, "ADMIN"),
    member("bert", platform, "ADMIN"),
    member("carol", platform, "USER"),
    member("una", platform, "USER"),
    { ...member("una", { group: "night-shift" }, "USER"), scope: "API" },
    member("paul", { api: "payments" }, "PRIMARY_OWNER"),
    member("carol", { application: "till" }, "PRIMARY_OWNER"),
    {
      kind: "subscription",
      id: "s-1",
      api: "payments",
      application: "till",
      status: "ACCEPTED",
      subscribed_by: "u-carol",
    },
    ...others.flatMap((login) => [user(login, `User ${login}`), member(login, platform, "USER")]),
  ];
}
