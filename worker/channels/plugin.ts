import type { FileKind } from '../../lib/file-kind.ts';
import type { Logger } from '../../lib/log.ts';

/** Who and where of a conversation, in the platform's own immutable ids. */
export type Peer = {
  kind: 'direct' | 'group';
  id: string;
  /** Topic or thread inside the peer, when it is a conversation of its own. */
  threadId?: string;
};

/** A file that came with a message and is still at the platform, which fetches it by `ref`. */
export type InboundFile = { kind: FileKind; ref: string; name?: string; mimeType?: string; sizeBytes?: number };

/** A message that came in, already in our terms. */
export type InboundMessage = {
  accountId: string;
  peer: Peer;
  senderId: string;
  senderName?: string;
  /** The sender is a program: only by naming the bot does it ask something, whatever the group allows. */
  isFromBot?: true;
  text: string;
  files?: readonly InboundFile[];
  /** Messages with the same one were sent as one. */
  albumId?: string;
  /** False for a group message that speaks to somebody else: it is context, not a question. */
  isAddressed: boolean;
  /** The new wording of an earlier message. It never starts a turn. */
  isEdit?: true;
  /** Nothing was said: the platform gave the chat the id of `peer` in place of this one. */
  movedFrom?: string;
  /** The platform's own id of this event; the same one never starts a second turn (IN-1). */
  dedupeKey: string;
  /** Tells a repetition from another message under the same key. */
  digest?: string;
  /** What the platform lets us say to the peer from now on: so many messages within `ttlMs`, in milliseconds, each with the token. */
  window?: { token: string; sends: number; ttlMs: number };
  /** The platform's message id, for replies. */
  messageId?: string;
  /** Epoch milliseconds at the platform. */
  sentAt: number;
};

/** A file on its way out. */
export type OutboundFile = {
  kind: FileKind;
  /** Absolute. */
  path: string;
  /** What its receiver sees: letters, digits, `.`, `_` and `-`. */
  name: string;
  sizeBytes: number;
};

/** One part of an answer on its way out. */
export type OutboundMessage = {
  /** Stable over retries; a platform with idempotency keys gets this one. */
  id: string;
  accountId: string;
  chatId: string;
  threadId?: string;
  replyTo?: string;
  text: string;
  /** Carries the text as its caption, which may be empty. */
  file?: OutboundFile;
  silent?: boolean;
  /** On a platform with windows: the one that it goes by, as it was before this message was counted. */
  window?: SendWindow;
};

/** What a platform lets us say to a peer until it writes again. Times are epoch milliseconds. */
export type SendWindow = { token: string; sendsLeft: number; openedAt: number; expiresAt: number };

/**
 * `conflict`: another program takes this account's messages; it heals by itself when that one ends (TG-2). `login-needed`: a
 * person must log the account in (WX-1).
 */
export type ChannelState = 'idle' | 'starting' | 'up' | 'degraded' | 'conflict' | 'login-needed' | 'down';

/**
 * How a login stands. `scan`: draw `qr` as a QR code and scan it with the phone; `confirm`: confirm on the phone; `code`: enter
 * the digits that the phone shows; `done` and `failed` are its end.
 */
export type LoginView = {
  sessionKey: string;
  accountId: string;
  step: 'starting' | 'scan' | 'confirm' | 'code' | 'done' | 'failed';
  /** The text of the QR code. */
  qr?: string;
  /** What went wrong, and what to do about it. */
  problem?: string;
  /** Epoch milliseconds at which it is given up. */
  expiresAt: number;
};

/** Where the accounts of a channel are logged in by a person with a phone. */
export type LoginDesk = {
  /** Begins a login in place of an earlier one of the account. Throws NOT_FOUND for an account that is not configured. */
  start(accountId: string): Promise<LoginView>;
  /** Undefined for a login that is not known, e.g. since a restart. */
  read(sessionKey: string): LoginView | undefined;
  /** Takes the digits. Undefined as for `read`; throws CONFLICT when none are asked for. */
  enterCode(sessionKey: string, code: string): LoginView | undefined;
};

/** What became of a part; `migratedTo` is the chat's new id when the platform moved it. */
export type Posted = { remoteId: string; migratedTo?: string };

export type AccountStatus = {
  accountId: string;
  state: ChannelState;
  /** Epoch milliseconds of the last change of state. */
  since: number;
  lastError?: string;
  /** Epoch milliseconds of the last exchange that proves the transport (LIVE-1). */
  lastExchangeAt?: number;
};

/** A message of ours and what it is to say. */
export type EditTarget = { accountId: string; chatId: string; remoteId: string; text: string };

/**
 * A growing answer is shown after `afterMs`, so that short ones come at once, and changed once per `everyMs` at most, in
 * milliseconds; by blocks only when a paragraph or sentence is complete.
 */
export type Streaming = { afterMs: number; everyMs: number; isByBlock: boolean };

/** Which parts of an answer quote the message that they answer. */
export type Quoting = 'off' | 'first' | 'all';

/** The largest file that a channel sends, in bytes, and the longest text that goes with it, in UTF-16 units. */
export type FileSupport = { maxBytes: number; captionLimit: number };

/** A request that a platform made to us, of which nothing but the head was read. */
export type HttpPush = {
  /** The account that the address names. */
  accountId: string | undefined;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** Reads the body, JSON of at most so many bytes or 1 MiB, as it came. */
  rawBody(maxBytes?: number): Promise<Buffer>;
};

export type ChannelContext = {
  log: Logger;
  /**
   * Hands over everything one platform answer held, with the cursor that confirms it. Resolves when all of it is committed;
   * only then may the platform be acknowledged (IN-1). A cursor is only for the worker that holds the lease; without one it is
   * what the platform pushed, which any worker may take in.
   */
  receive(accountId: string, messages: readonly InboundMessage[], cursor?: string): Promise<void>;
  /** The cursor that was committed last for an account. */
  readCursor(accountId: string): Promise<string | undefined>;
  /** Reports that an account's status changed. */
  onStatus(status: AccountStatus): void;
};

/**
 * What a channel is to the gateway. `init` is called for every configured channel, must be quick and must not use the
 * network; `start` connects and resolves when the channel takes messages or keeps trying by itself; `send` delivers one
 * part and returns the platform's id of it. All waiting ends when the signal aborts.
 */
export type ChannelPlugin = {
  meta: {
    id: string;
    label: string;
    /** Connect only after the HTTP port listens (manual "channel start order"). */
    deferConnectUntilAfterListen: boolean;
    /** True when sending the same id twice shows once: then a crash during a send needs no caution. */
    isIdempotent: boolean;
    /** True when nothing is transported: a message has arrived when it is committed, and is never sent. */
    isLocal?: true;
    /** The platform takes messages only in a window that the peer opens by writing (`InboundMessage.window`). */
    hasWindows?: true;
    /** Longest text of one part, in UTF-16 units. */
    textLimit: number;
    /** What may be sent besides text; left out when the channel sends no files. */
    files?: FileSupport;
  };
  init(context: ChannelContext): void;
  start(signal: AbortSignal): Promise<void>;
  send(message: OutboundMessage, signal: AbortSignal): Promise<Posted>;
  stop?(): Promise<void>;
  status?(): readonly AccountStatus[];
  /** Longest text of one part that an account wishes, in UTF-16 units; undefined when it has no wish of its own. */
  chunkLimit?(accountId: string): number | undefined;
  /** Changes a message that was sent; `gone` when it cannot be changed any more. The same text again is a success. */
  edit?(target: EditTarget, signal: AbortSignal): Promise<'edited' | 'gone'>;
  /** How an account shows an answer while it grows; undefined when it does not. */
  streaming?(accountId: string, peerKind: Peer['kind']): Streaming | undefined;
  /** What an account's answers quote; left out: the first part does in groups, none in private. */
  quoting?(accountId: string, peerKind: Peer['kind']): Quoting | undefined;
  /** Books the next message to a chat and returns how long it has to wait for the platform's pace, in milliseconds. */
  bookSend?(target: { accountId: string; chatId: string }): number;
  /** Fetches a file that came in. Throws Rejected when it can never be had, e.g. because it is too large. */
  fetchFile?(accountId: string, ref: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /**
   * Takes in what the platform pushed: verifies the request before it reads the body, hands over what it holds, and returns the
   * JSON to answer with. A GatewayError is answered as it is; after any other error the platform is asked to come again.
   */
  receiveHttp?(request: HttpPush): Promise<Record<string, unknown>>;
  /** Left out when the accounts need no person to log in. */
  login?: LoginDesk;
  /** The clock jumped or the network changed: the transport is proven anew at once (LIVE-3). */
  reprobe?(): void;
  /** Shows the peer that an answer is being written; lasts a few seconds and may fail without harm. */
  showTyping?(target: { accountId: string; chatId: string; threadId?: string }, signal: AbortSignal): Promise<void>;
};

/** The platform said no and will say no again: never retried. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
  /** The peer blocked us or is no more: nothing else for it will arrive either. */
  readonly isPeerGone: boolean;

  constructor(message: string, { isPeerGone = false, ...options }: ErrorOptions & { isPeerGone?: boolean } = {}) {
    super(message, options);
    this.isPeerGone = isPeerGone;
  }
}

/** The platform takes nothing for this peer until the peer writes; it did not happen. */
export class WindowClosed extends Error {
  override readonly name = 'WindowClosed';
}

/** It certainly did not happen (no connection, refused): retried. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The request left, the answer did not come: it may have happened. The channel's ambiguity policy decides (OUT-1). */
export class Unknown extends Error {
  override readonly name = 'Unknown';
}

/** The platform asks to wait; it did not happen. */
export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}
