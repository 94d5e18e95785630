import type { Channel, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { BoundSocket } from './server.ts';

type DrainMessage = Extract<SupervisorMessage, { t: 'worker.drain' }>;

/** What the supervisor has said so far, kept until somebody is ready to act on it. */
export type Mailbox = {
  /** Resolves with the sockets once all of them are there. */
  sockets(count: number): Promise<readonly BoundSocket[]>;
  /** Resolves when the lease is granted. */
  leaseGranted: Promise<{ epoch: number }>;
  /** Resolves when the worker is told to end. */
  drainAsked: Promise<DrainMessage>;
  /** Calls the listener with the generation of each worker that ended, those that ended before included. */
  onPeerExited(listener: (generation: number) => void): void;
};

/** Starts to collect the supervisor's messages; they may come before the worker has anything to act with. */
export function collectMessages(channel: Channel<SupervisorMessage, WorkerMessage>): Mailbox {
  const sockets: BoundSocket[] = [];
  const exited: number[] = [];
  const lease = deferred<{ epoch: number }>();
  const drain = deferred<DrainMessage>();
  let onSocket = (): void => undefined;
  let onExited = (generation: number): void => void exited.push(generation);

  channel.onMessage((message, handle) => {
    switch (message.t) {
      case 'listener.take':
        sockets.push({ handle, host: message.host, port: message.port });
        onSocket();
        return;
      case 'lease.grant':
        lease.resolve({ epoch: message.epoch });
        return;
      case 'worker.drain':
        drain.resolve(message);
        return;
      case 'peer.exited':
        onExited(message.generation);
        return;
      case 'sup.welcome':
        return;
    }
  });

  return {
    sockets(count) {
      return new Promise((resolve) => {
        onSocket = () => {
          if (sockets.length >= count) resolve(sockets);
        };
        onSocket();
      });
    },
    leaseGranted: lease.promise,
    drainAsked: drain.promise,
    onPeerExited(listener) {
      onExited = listener;
      for (const generation of exited.splice(0)) listener(generation);
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
