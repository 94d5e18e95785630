import type { Channel, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { BoundSocket } from './server.ts';

type Message<T extends SupervisorMessage['t']> = Extract<SupervisorMessage, { t: T }>;

/** What the supervisor has said so far, kept until somebody is ready to act on it. */
export type Mailbox = {
  /** Resolves with the next `count` sockets once all of them are there. */
  sockets(count: number): Promise<readonly BoundSocket[]>;
  /** Resolves when the lease is granted. */
  leaseGranted: Promise<{ epoch: number }>;
  /** Resolves when a standby shall begin to serve. */
  promoted: Promise<Message<'worker.promote'>>;
  /** The next order to end or to rebuild. */
  nextOrder(): Promise<Message<'worker.drain'> | Message<'worker.rebuild'>>;
  /** Calls the listener with the generation of each worker that ended, those that ended before included. */
  onPeerExited(listener: (generation: number) => void): void;
};

/** Starts to collect the supervisor's messages; they may come before the worker has anything to act with. `onReport` is called for each request of a report. */
export function collectMessages(
  channel: Channel<SupervisorMessage, WorkerMessage>,
  { onReport }: { onReport(): void },
): Mailbox {
  const sockets = createQueue<BoundSocket>();
  const orders = createQueue<Message<'worker.drain'> | Message<'worker.rebuild'>>();
  const exited: number[] = [];
  const lease = deferred<{ epoch: number }>();
  const promotion = deferred<Message<'worker.promote'>>();
  let onExited = (generation: number): void => void exited.push(generation);

  channel.onMessage((message, handle) => {
    switch (message.t) {
      case 'listener.take':
        sockets.push({ handle, host: message.host, port: message.port });
        return;
      case 'lease.grant':
        lease.resolve({ epoch: message.epoch });
        return;
      case 'worker.promote':
        promotion.resolve(message);
        return;
      case 'worker.drain':
      case 'worker.rebuild':
        orders.push(message);
        return;
      case 'worker.report':
        onReport();
        return;
      case 'peer.exited':
        onExited(message.generation);
        return;
      case 'sup.welcome':
        return;
      default:
        message satisfies never;
    }
  });

  return {
    sockets: (count) => sockets.take(count),
    leaseGranted: lease.promise,
    promoted: promotion.promise,
    async nextOrder() {
      const [order] = await orders.take(1);
      // `take` resolves with what was asked for; this tells the compiler.
      if (order === undefined) throw new Error('An order was lost');
      return order;
    },
    onPeerExited(listener) {
      onExited = listener;
      for (const generation of exited.splice(0)) listener(generation);
    },
  };
}

/** Holds values until that many are taken, in order. One taker at a time. */
function createQueue<T>(): { push(value: T): void; take(count: number): Promise<T[]> } {
  const values: T[] = [];
  let onPush = (): void => undefined;
  return {
    push(value) {
      values.push(value);
      onPush();
    },
    take(count) {
      return new Promise((resolve) => {
        onPush = () => {
          if (values.length < count) return;
          onPush = () => undefined;
          resolve(values.splice(0, count));
        };
        onPush();
      });
    },
  };
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
