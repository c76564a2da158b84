// The types of client.js.

/** Who is signed in, and where Campanile is. */
export interface Options {
  /** Where Campanile is, such as `https://messages.example.com`; where the script is from, if absent. */
  server?: string;
  /**
   * A site's token (a JWT) of who is signed in, new at each call: it is asked for again shortly before the last one ends.
   * Without it the cookie of Campanile's own pages decides.
   */
  token?: () => string | Promise<string>;
  /** The language of texts, such as `de`; that of the page where absent. */
  language?: string;
}

/** The numbers of the bell. */
export interface Counts {
  /** The number on the bell. */
  unread: number;
  /** How many came since the inbox was opened. */
  unseen: number;
  /** How many the inbox holds. */
  total: number;
  /** How many stand as banners. */
  banners: number;
}

export type Importance = "low" | "high" | "critical";
export type View = "inbox" | "unread" | "archived" | "past" | "banners";
export type Action =
  | "read" | "unread" | "archive" | "unarchive" | "delete" | "restore" | "dismiss" | "show" | "acknowledge";

/** A message as its recipient sees it; `/api/docs` of the server describes each field. */
export interface Message {
  id: number;
  title: string;
  text: string;
  /** The text as safe HTML. */
  html: string;
  importance: Importance;
  sender_name: string;
  published_at: string;
  read: boolean;
  archived: boolean;
  [field: string]: unknown;
}

/** A page of an inbox, newest first. */
export interface Page {
  items: Message[];
  /** Ask with this as `cursor` for what follows; absent at the end. */
  next?: string;
  /** How many the list holds in all; absent for a search. */
  total?: number;
  revision: number;
  as_of: string;
}

/** Something that happened. */
export interface Told {
  /**
   * `hello`, `message` and `counts` as the server says them; `down` while there is no stream; `over` and `open` when who
   * is signed in is not any more, or again.
   */
  name: "hello" | "message" | "counts" | "down" | "over" | "open";
  data: any;
  /** Whether this tab has the stream. */
  leads: boolean;
  /** Whether what a page shows may be old. */
  moved: boolean;
}

/** The headless client. A request that is refused rejects with an `Error` that has the `status`. */
export class Campanile {
  constructor(options?: Options);
  /** Where Campanile is. */
  readonly server: string;
  /** The numbers of the bell, once they are known. */
  readonly counts: Counts | undefined;
  /** Whether who was signed in is not any more. */
  readonly over: boolean;
  /** Whether numbers come by themselves. */
  readonly isLive: boolean;
  /** Opens the live channel; asks now and then where there is none. */
  start(known?: Partial<Counts>): this;
  /** Ends everything: nothing is told any more. */
  stop(): void;
  /** Hears of everything that happens, until the signal is aborted. */
  listen(hear: (told: Told) => void, signal?: AbortSignal): void;
  /** A request to the server in the name of who is signed in. */
  fetch(address: string, init?: RequestInit): Promise<Response>;
  /** Asks for the numbers. */
  refresh(): Promise<void>;
  /** A page of the inbox. */
  inbox(wanted?: { view?: View; importance?: Importance; q?: string; cursor?: string; limit?: number }): Promise<Page>;
  /** One message. Looking at it marks nothing. */
  message(id: number): Promise<Message>;
  /** Does something with messages, for this person; at most 1,000. */
  act(ids: number | number[], action: Action): Promise<{ changed?: number; more: boolean }>;
  /** Marks everything read up to a page of the inbox that was shown. */
  readAll(page: Pick<Page, "revision" | "as_of">): Promise<{ changed?: number; more: boolean }>;
  /** The inbox was opened: nothing is new any more. */
  seen(): Promise<void>;
  /** A ticket for one stream, where a header cannot be sent. */
  ticket(): Promise<{ ticket: string; expires_at: string }>;
}

/** The client that the elements of this page share. */
export function client(): Campanile | undefined;
/** Signs somebody in: all elements of this page show what is theirs. Call `start()` for the live channel. */
export function connect(options?: Options): Campanile;
/** Signs them out: the elements show nothing. */
export function disconnect(): void;
/** Calls with the client of this page, now and whenever it is another one. */
export function whenConnected(hear: (client: Campanile | undefined) => void, signal: AbortSignal): void;
