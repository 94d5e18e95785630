import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openWorkerChannel, type SupervisorMessage } from '../../lib/ipc.ts';
import { collectMessages, type Mailbox } from '../../worker/mailbox.ts';

function openMailbox(onReport = (): void => undefined): {
  mailbox: Mailbox;
  tell(message: SupervisorMessage, handle?: unknown): void;
} {
  const endpoint = new EventEmitter();
  const mailbox = collectMessages(openWorkerChannel(endpoint), { onReport });
  return { mailbox, tell: (message, handle) => void endpoint.emit('message', { v: 1, ...message }, handle) };
}

const socket = (port: number): SupervisorMessage => ({ t: 'listener.take', host: '127.0.0.1', port });

describe('the mailbox', () => {
  it('keeps sockets that come before anybody asks, and waits for those that come later', async () => {
    const { mailbox, tell } = openMailbox();
    tell(socket(1), 'first');
    const sockets = mailbox.sockets(2);
    tell(socket(2), 'second');
    expect(await sockets).toEqual([
      { handle: 'first', host: '127.0.0.1', port: 1 },
      { handle: 'second', host: '127.0.0.1', port: 2 },
    ]);
  });

  it('gives each socket once, so that a rebuilt worker gets the new ones', async () => {
    const { mailbox, tell } = openMailbox();
    tell(socket(1), 'first');
    expect(await mailbox.sockets(1)).toMatchObject([{ handle: 'first' }]);
    const later = mailbox.sockets(1);
    tell(socket(1), 'again');
    expect(await later).toMatchObject([{ handle: 'again' }]);
    expect(await mailbox.sockets(0)).toEqual([]);
  });

  it('keeps a grant of the lease and a drain', async () => {
    const { mailbox, tell } = openMailbox();
    tell({ t: 'lease.grant', epoch: 4 });
    tell({ t: 'worker.drain', mode: 'replace', requestsMs: 5, turnsMs: 6 });
    expect(await mailbox.leaseGranted).toEqual({ epoch: 4 });
    expect(await mailbox.nextOrder()).toMatchObject({ mode: 'replace', requestsMs: 5, turnsMs: 6 });
  });

  it('keeps several orders in their order', async () => {
    const { mailbox, tell } = openMailbox();
    tell({ t: 'worker.rebuild', requestsMs: 1, turnsMs: 2 });
    tell({ t: 'worker.drain', mode: 'stop', requestsMs: 3, turnsMs: 4 });
    expect(await mailbox.nextOrder()).toMatchObject({ t: 'worker.rebuild', turnsMs: 2 });
    expect(await mailbox.nextOrder()).toMatchObject({ t: 'worker.drain', turnsMs: 4 });
  });

  it('keeps a promotion, and asks for a report each time it is told to', async () => {
    let reports = 0;
    const { mailbox, tell } = openMailbox(() => {
      reports += 1;
    });
    tell({ t: 'worker.promote', peers: [1], leaseEpoch: 3 });
    tell({ t: 'worker.report' });
    tell({ t: 'worker.report' });
    expect(await mailbox.promoted).toMatchObject({ peers: [1], leaseEpoch: 3 });
    expect(reports).toBe(2);
  });

  it('tells of every worker that ended, before and after somebody listens, once each', () => {
    const { mailbox, tell } = openMailbox();
    tell({ t: 'peer.exited', generation: 1 });
    tell({ t: 'peer.exited', generation: 2 });
    const seen: number[] = [];
    mailbox.onPeerExited((generation) => seen.push(generation));
    tell({ t: 'peer.exited', generation: 3 });
    expect(seen).toEqual([1, 2, 3]);
  });
});
