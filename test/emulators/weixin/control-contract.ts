import type { CallRecord } from '../core/journal.ts';

/** How the emulated service behaves where reports of the real one differ, and its limits. */
export interface WeixinSettings {
  /** `replay`: an old cursor brings its messages again; `consume`: what was handed out is gone. Default replay. */
  readonly cursorMode?: 'replay' | 'consume';
  /** Each message comes twice: the same, without an id, or with a new id and a new token. Default none. */
  readonly dupMode?: 'none' | 'same-id' | 'no-id' | 'new-id-new-token';
  /** Messages of the bot for each of the person's; default 10. */
  readonly budget?: number;
  /** How long a person's message lets the bot write; default 24 hours. */
  readonly tokenTtlMs?: number;
  /** How long a poll is held; default 2000. */
  readonly longPollMs?: number;
  /** Digits that a login asks for; null (default) for none. */
  readonly verifyCode?: string | null;
  /** A scanned code sends the client to the same server by this host; null (default) for none. */
  readonly redirectHost?: string | null;
}

/** One message of the bot as its receiver sees it. */
export interface SeenMessage {
  readonly text: string;
  readonly clientId: string;
  readonly messageId: string;
  readonly at: number;
}

/** One journal entry. */
export interface WeixinCall extends CallRecord {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** What a client of the real service would not have done; null when all was well. */
  readonly violation: string | null;
}

/** Someone's phone has confirmed a login. */
export interface Confirmed {
  readonly botId: string;
  readonly token: string;
}
