/**
 * The only place where supervisor and worker meet: two closed unions of messages, JSON over Node's IPC pipe.
 * Values that JSON cannot carry (errors, NaN) are encoded by whoever sends them.
 */

export const IPC_VERSION = 1;

/** How a worker is asked to end: `stop` when nobody takes over, `replace` when another worker already serves. */
export type DrainMode = 'stop' | 'replace';

/**
 * What a worker is for: `serve`; `safe` with channels, cron and extensions off, after too many crashes; `standby`, which boots
 * but neither listens nor takes messages until it is promoted.
 */
export type WorkerRole = 'serve' | 'safe' | 'standby';

export type WorkerOverrides = { port?: number; bind?: string; token?: string };

/** What the worker's main loop reports each second. */
export type Heartbeat = {
  rssBytes: number;
  loopDelayMs: number;
  requests: number;
  turns: number;
  streams: number;
  leaseEpoch: number;
  /** Messages waiting to be delivered. */
  outbox: number;
  channels: ChannelView[];
};

/** One account of a channel; `since` in milliseconds since 1970. */
export type ChannelView = { channel: string; accountId: string; state: string; since: number };

export type WorkerMessage =
  | { t: 'worker.hello'; pid: number; version: string }
  | { t: 'worker.listening'; hosts: string[]; port: number }
  | { t: 'worker.listen-failed'; host: string; reason: string }
  /** Booted, listening and able to answer; channels may still be connecting. */
  | { t: 'worker.ready'; bootMs: number }
  | ({ t: 'worker.heartbeat' } & Heartbeat)
  /** A standby has booted and waits for `worker.promote`. */
  | { t: 'worker.warm' }
  /** Why `worker.rebuild` was not followed; the worker goes on as it was. */
  | { t: 'worker.rebuild-refused'; message: string }
  /** Singletons (channels, cron, outbox) have stopped; the next epoch may be granted. */
  | { t: 'lease.released'; epoch: number }
  | { t: 'restart.request'; reason: string }
  /** Why the worker is about to exit with a code that needs a person. */
  | { t: 'worker.fatal'; exitCode: number; message: string; hint?: string };

export type SupervisorMessage =
  | {
      t: 'sup.welcome';
      generation: number;
      instanceId: string;
      role: WorkerRole;
      overrides: WorkerOverrides;
      listeners: number;
      /** Generations of the other workers that live now: what they are working on stays theirs. */
      peers: number[];
      /** Set when no other worker holds the lease, so that a cold start need not ask for it. */
      leaseEpoch: number | null;
    }
  /** Carries one bound socket as the IPC handle. */
  | { t: 'listener.take'; host: string; port: number }
  | { t: 'lease.grant'; epoch: number }
  /** A standby begins to serve; fields as in the welcome. */
  | { t: 'worker.promote'; peers: number[]; leaseEpoch: number | null }
  /** `XOPC_NO_RESPAWN`: read the configuration again and rebuild everything in this process; new sockets follow. */
  | { t: 'worker.rebuild'; requestsMs: number; turnsMs: number }
  /** Write what you are doing to the log. */
  | { t: 'worker.report' }
  | { t: 'worker.drain'; mode: DrainMode; requestsMs: number; turnsMs: number }
  /** Another worker of this supervisor is gone: what it had claimed is free. */
  | { t: 'peer.exited'; generation: number };

/** Either end of the pipe: a `ChildProcess` in the supervisor, `process` in the worker. */
type Endpoint = {
  connected?: boolean;
  send?: ((message: object, handle?: never) => boolean) | undefined;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
};

export type Channel<In, Out> = {
  /** Sends a message, with a socket handle if given. False when the other side is gone or does not read. */
  send(message: Out, handle?: unknown): boolean;
  /** Calls `listener` for each valid message. Returns a function that stops it. */
  onMessage(listener: (message: In, handle: unknown) => void): () => void;
};

/** The worker's end. Messages that are no `SupervisorMessage` of our version are ignored. */
export function openWorkerChannel(endpoint: Endpoint): Channel<SupervisorMessage, WorkerMessage> {
  return openChannel(endpoint, (raw): raw is Tagged => isTagged(raw) && SUPERVISOR_TAGS.has(raw.t));
}

/**
 * The supervisor's end, one per worker. Messages that are no `WorkerMessage` of our version are ignored: any code in a worker
 * can write to the pipe, and nothing that it writes may harm the supervisor.
 */
export function openSupervisorChannel(endpoint: Endpoint): Channel<WorkerMessage, SupervisorMessage> {
  return openChannel(endpoint, (raw): raw is Tagged => isTagged(raw) && hasShape(raw));
}

/** Waits for one message of a type; rejects after `timeoutMs`. */
export function waitForMessage<In extends { t: string }, Out, T extends In['t']>(
  channel: Channel<In, Out>,
  type: T,
  timeoutMs: number,
): Promise<Extract<In, { t: T }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`No ${type} over IPC within ${timeoutMs} ms`));
    }, timeoutMs);
    const stop = channel.onMessage((message) => {
      if (message.t !== type) return;
      clearTimeout(timer);
      stop();
      resolve(message as Extract<In, { t: T }>);
    });
  });
}

type Kind<V> = V extends string ? 'string' : V extends number ? 'number' : 'array';
type Shape = Readonly<Record<string, 'string' | 'number' | 'array' | 'string?'>>;
/** A kind for each field of a message, with a question mark where the field may be missing. */
type ShapeOf<M> = {
  readonly [K in Exclude<keyof M, 't'>]-?: Record<never, never> extends Pick<M, K>
    ? `${Kind<Exclude<M[K], undefined>>}?`
    : Kind<M[K]>;
};

const SHAPES: Readonly<Record<string, Shape>> = {
  'worker.hello': { pid: 'number', version: 'string' },
  'worker.listening': { hosts: 'array', port: 'number' },
  'worker.listen-failed': { host: 'string', reason: 'string' },
  'worker.ready': { bootMs: 'number' },
  'worker.heartbeat': {
    ...{ rssBytes: 'number', loopDelayMs: 'number', requests: 'number', turns: 'number', streams: 'number' },
    ...{ leaseEpoch: 'number', outbox: 'number', channels: 'array' },
  },
  'worker.warm': {},
  'worker.rebuild-refused': { message: 'string' },
  'lease.released': { epoch: 'number' },
  'restart.request': { reason: 'string' },
  'worker.fatal': { exitCode: 'number', message: 'string', hint: 'string?' },
} satisfies { readonly [T in WorkerMessage['t']]: ShapeOf<Extract<WorkerMessage, { t: T }>> };

const SUPERVISOR_TAGS: ReadonlySet<string> = new Set<SupervisorMessage['t']>([
  'sup.welcome',
  'listener.take',
  'lease.grant',
  'worker.promote',
  'worker.rebuild',
  'worker.report',
  'worker.drain',
  'peer.exited',
]);

type Tagged = { v: number; t: string };

function openChannel<In, Out extends object>(
  endpoint: Endpoint,
  isOurs: (raw: unknown) => raw is Tagged,
): Channel<In, Out> {
  return {
    send(message, handle) {
      if (endpoint.connected !== true || endpoint.send === undefined) return false;
      try {
        return endpoint.send({ v: IPC_VERSION, ...message }, handle as never);
      } catch {
        // The pipe closed between the check and the write; `exit` or `disconnect` follows and is handled there.
        return false;
      }
    },
    onMessage(listener) {
      const receive = (raw: unknown, handle: unknown): void => {
        if (!isOurs(raw)) return;
        const { v: _version, ...message } = raw;
        listener(message as unknown as In, handle);
      };
      endpoint.on('message', receive);
      return () => endpoint.off('message', receive);
    },
  };
}

function isTagged(raw: unknown): raw is Tagged {
  if (typeof raw !== 'object' || raw === null || !('t' in raw) || !('v' in raw)) return false;
  return raw.v === IPC_VERSION && typeof raw.t === 'string';
}

function hasShape(raw: Tagged): boolean {
  const shape = Object.hasOwn(SHAPES, raw.t) ? SHAPES[raw.t] : undefined;
  if (shape === undefined) return false;
  const fields = new Map<string, unknown>(Object.entries(raw));
  return Object.entries(shape).every(([name, kind]) => isOfKind(fields.get(name), kind));
}

function isOfKind(value: unknown, kind: Shape[string]): boolean {
  if (kind === 'array') return Array.isArray(value);
  if (kind === 'string?') return value === undefined || typeof value === 'string';
  return typeof value === kind;
}
