// Campanile in the pages of a site: bell, inbox and banners as elements, and the client that they are made of.
// docs/embedding.md says how they are used.
// @ts-check
import { CampanileBanner } from "./banner.js";
import { CampanileBell } from "./bell.js";
import { CampanileInbox } from "./inbox.js";

export { Campanile, client, connect, disconnect } from "./client.js";
export { CampanileBanner, CampanileBell, CampanileInbox };

for (const [name, element] of Object.entries({
  "campanile-bell": CampanileBell,
  "campanile-inbox": CampanileInbox,
  "campanile-banner": CampanileBanner,
})) {
  // A page that loads this twice has them once.
  if (!customElements.get(name)) customElements.define(name, element);
}
