// Every page of the directory: what axe says, its weight, its narrowest width, and pictures of it in artifacts/browser.
// @ts-check
import { flow, withSite } from "./lib/flow.js";
import { look } from "./lib/look.js";
import { sendSome } from "./lib/sent.js";

const held = withSite({ prepare: async (site) => void (await sendSome(site)) });

/** Name of the pictures, and address. @type {[string, string][]} */
const PAGES = [
  ["directory", "/directory"],
  ["directory-customers", "/directory/customers"],
  ["directory-customer", "/directory/customers/1"],
  ["directory-users", "/directory/users"],
  ["directory-users-new", "/directory/add/users"],
  ["directory-user", "/directory/users/u-una"],
  ["directory-user-edit", "/directory/users/u-una/edit"],
  ["directory-user-end", "/directory/users/u-una/end"],
  ["directory-user-password", "/directory/users/u-una/password"],
  ["directory-groups", "/directory/groups"],
  ["directory-group", "/directory/groups/night-shift"],
  ["directory-roles", "/directory/roles"],
  ["directory-roles-new", "/directory/add/roles"],
  ["directory-role", "/directory/roles/ENVIRONMENT/ADMIN"],
  ["directory-apis", "/directory/apis"],
  ["directory-api", "/directory/apis/payments"],
  ["directory-applications", "/directory/applications"],
  ["directory-application", "/directory/applications/till"],
  ["directory-subscriptions", "/directory/subscriptions"],
  ["directory-subscription", "/directory/subscriptions/s-1"],
  ["directory-memberships", "/directory/memberships"],
  ["directory-environments", "/directory/environments"],
  ["directory-import", "/directory/import"],
];

for (const [name, path] of PAGES) {
  flow(path, held, async ({ open }) => look(await open("admin"), path, name));
}
