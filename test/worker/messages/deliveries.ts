import { expect, onTestFinished, vi } from 'vitest';
import type { Delivery } from '../../../worker/messages/outbound.ts';
import type { OutboxRow, OutboxState } from '../../../worker/store/outbox-row.ts';
import { type AssembledGateway, type AssembledOptions, assembleGateway } from '../assembled-gateway.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

/** A gateway whose database can be looked into. */
export type Started = AssembledGateway & { temporary: TemporaryStore };

type StartOptions = Partial<AssembledOptions> & { temporary?: TemporaryStore };

/** Puts a gateway together that does not deliver yet. */
export function assemble({ temporary = openTemporaryStore(), ...options }: StartOptions = {}): Started {
  const gateway = assembleGateway({ store: temporary.store, ...options });
  onTestFinished(() => gateway.outbound.stop(0));
  return Object.assign(gateway, { temporary });
}

/** Starts a gateway that delivers; it stops with the test. */
export async function startGateway(options: StartOptions = {}): Promise<Started> {
  const gateway = assemble(options);
  await gateway.start();
  return gateway;
}

/** A text for a chat of the channel `test`. */
export function to(chatId: string, text: string, more: Partial<Delivery> = {}): Delivery {
  return { target: { channel: 'test', accountId: 'default', chatId }, text, ...more };
}

type Stored = Pick<OutboxRow, 'state' | 'attempts' | 'ambiguous' | 'nextAt' | 'updatedAt'> & {
  lastError: string | null;
  remoteId: string | null;
};

/** What is on disk of the message with this text. */
export function stored({ temporary }: Started, text: string): Stored | undefined {
  const columns =
    'state, attempts, ambiguous, next_at AS nextAt, updated_at AS updatedAt, last_error AS lastError, remote_id AS remoteId';
  return temporary.sql(`SELECT ${columns} FROM outbox WHERE text='${text}'`)[0] as Stored | undefined;
}

/** Waits until a message is in a state. */
export async function settled(gateway: Started, text: string, state: OutboxState): Promise<void> {
  await vi.waitFor(() => expect(stored(gateway, text)?.state).toBe(state), { interval: 5, timeout: 4_000 });
}

/** The row of the message `a` once its first try has failed. */
export function failedOnce(gateway: Started, reason: string): Promise<Stored> {
  return vi.waitFor(
    () => {
      const row = stored(gateway, 'a');
      if (row?.lastError !== reason) throw new Error('It has not failed yet');
      return row;
    },
    { interval: 5 },
  );
}

/** Begins anew at a time when nothing has to wait any longer. */
export async function passTime(gateway: Started): Promise<void> {
  await gateway.outbound.stop(0);
  gateway.temporary.sql('UPDATE outbox SET next_at=0');
  await gateway.start();
}
