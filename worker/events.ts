import { randomBytes } from 'node:crypto';

export type EventType =
  | 'agent.stream'
  | 'message.received'
  | 'message.queued'
  | 'message.sent'
  | 'message.held'
  | 'message.failed'
  | 'session.updated'
  | 'channel.status'
  | 'config.reload'
  | 'cron.run'
  | 'gateway.draining';

export type GatewayEvent = {
  /** `<boot>-<sequence>`: unique over restarts, rising within one. */
  id: string;
  type: EventType;
  /** Session key it belongs to, for filtering. */
  session: string | undefined;
  data: unknown;
};

export type Subscription = {
  /** Events missed since the given id, oldest first. */
  missed: readonly GatewayEvent[];
  /** True when something was missed that is no longer known: the client must load its state again. */
  hasGap: boolean;
  /** The id that asks for everything from now on. */
  position: string;
  stop(): void;
};

export type EventHub = {
  publish(type: EventType, data: unknown, session?: string): void;
  /** Calls `listener` for each event from now on; `lastEventId` asks for those since then. */
  subscribe(listener: (event: GatewayEvent) => void, lastEventId?: string): Subscription;
};

const RING_SIZE = 1_000;
const RING_AGE_MS = 5 * 60_000;

/** Creates the hub of everything that clients may watch, with a bounded memory for those who reconnect (SPEC 8). */
export function createEventHub(): EventHub {
  const boot = randomBytes(4).toString('hex');
  const ring: { event: GatewayEvent; sequence: number; at: number }[] = [];
  const listeners = new Set<(event: GatewayEvent) => void>();
  let sequence = 0;

  function findMissed(lastEventId: string | undefined): { missed: GatewayEvent[]; hasGap: boolean } {
    if (lastEventId === undefined) return { missed: [], hasGap: false };
    const [itsBoot, itsSequence] = lastEventId.split('-');
    const last = Number(itsSequence);
    if (itsBoot !== boot || !Number.isInteger(last) || last > sequence) return { missed: [], hasGap: true };
    const oldest = ring[0]?.sequence ?? sequence + 1;
    const missed = ring.filter((entry) => entry.sequence > last).map((entry) => entry.event);
    return { missed, hasGap: oldest > last + 1 };
  }

  return {
    publish(type, data, session) {
      sequence += 1;
      const event: GatewayEvent = { id: `${boot}-${sequence}`, type, session, data };
      const now = Date.now();
      ring.push({ event, sequence, at: now });
      if (ring.length > RING_SIZE || now - (ring[0]?.at ?? now) > RING_AGE_MS) ring.shift();
      for (const listener of listeners) listener(event);
    },
    subscribe(listener, lastEventId) {
      const { missed, hasGap } = findMissed(lastEventId);
      listeners.add(listener);
      return { missed, hasGap, position: `${boot}-${sequence}`, stop: () => void listeners.delete(listener) };
    },
  };
}
