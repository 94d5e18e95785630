import type { Database, Tx } from './database.ts';

/** The holder of an older epoch must stop: someone else runs the channels, cron and the outbox now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export type Leases = ReturnType<typeof createLeases>;

const SINGLETONS = 'singletons';

/** The fence around what must run once: each holder writes its epoch, and work of an older epoch fails. */
export function createLeases(database: Database) {
  return {
    /**
     * Takes the lease. Epochs only rise: a supervisor counts from 1 again after a restart, so the stored one is raised past
     * the last and returned as the epoch to work under.
     */
    take: (owner: string): Promise<number> =>
      database.write((tx) => {
        const epoch = currentEpoch(tx) + 1;
        tx.run(
          'INSERT INTO leases (name, epoch, owner) VALUES (?,?,?) ON CONFLICT DO UPDATE SET epoch=excluded.epoch, owner=excluded.owner',
          SINGLETONS,
          epoch,
          owner,
        );
        return epoch;
      }),
  };
}

/** Throws LeaseLost when a newer holder has taken the lease. */
export function assertLease(tx: Tx, epoch: number): void {
  if (currentEpoch(tx) !== epoch) throw new LeaseLost(`Epoch ${epoch} is over`);
}

function currentEpoch(tx: Tx): number {
  return tx.get<{ epoch: number }>('SELECT epoch FROM leases WHERE name=?', SINGLETONS)?.epoch ?? 0;
}
