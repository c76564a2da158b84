// The types of campanile.js.
export * from "./client.js";

/** What the elements have in common: attributes `server`, `token-url`, `language`. */
declare class CampanileElement extends HTMLElement {}

/** `<campanile-bell>`: the number of unread messages, and the panel under it. */
export class CampanileBell extends CampanileElement {
  /** Opens the panel: with the list, or with the message of an id. */
  open(id?: number): Promise<void>;
}

/** `<campanile-inbox>`: the list of messages, and the one that is read. */
export class CampanileInbox extends CampanileElement {
  /** Shows the message of an id. */
  open(id: number): Promise<void>;
}

/** `<campanile-banner>`: what stands at the top of a page. */
export class CampanileBanner extends CampanileElement {}

/** A message is about to be opened; where this is prevented, the page opens it in a way of its own. */
export type CampanileOpenEvent = CustomEvent<{ id: number }>;

declare global {
  interface HTMLElementTagNameMap {
    "campanile-bell": CampanileBell;
    "campanile-inbox": CampanileInbox;
    "campanile-banner": CampanileBanner;
  }
  interface HTMLElementEventMap {
    "campanile-open": CampanileOpenEvent;
  }
}
