import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { callControl } from '../../lib/control-client.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { createClient } from './http.ts';
import { startGateway, startPlain } from './target.ts';

/** A server whose restarts and crashes are measured. */
export type Subject = {
  /** What is asked; answers 200. */
  url: string;
  /** The process that serves now. */
  servingPid(): Promise<number>;
  /** One restart as its manual wants it; resolves when another process serves and the old one is gone. */
  restart(): Promise<void>;
  /** Resolves when it is in normal operation again, with its standby if it has one. */
  recovered(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a subject, uses it and stops it in any case. */
export async function withSubject<T>(start: () => Promise<Subject>, use: (subject: Subject) => Promise<T>): Promise<T> {
  const subject = await start();
  try {
    return await use(subject);
  } finally {
    await subject.stop();
  }
}

/** The built gateway, restarted by SIGUSR1. */
export async function startGatewaySubject(options: { hasStandby?: boolean } = {}): Promise<Subject> {
  const hasStandby = options.hasStandby === true;
  const gateway = await startGateway(hasStandby ? { gateway: { standby: true } } : {});
  const { controlSocket } = resolvePaths({ XOPC_HOME: gateway.home });
  const servingPid = pidReader(gateway.url, { Authorization: `Bearer ${gateway.token}` });
  return {
    url: `${gateway.url}/health`,
    servingPid,
    restart: () => restartBySignal({ servingPid, signal: () => process.kill(gateway.pid, 'SIGUSR1') }),
    recovered: () =>
      until(hasStandby ? 'a worker and a warm standby' : 'a worker in normal operation', async () => {
        const { phase, workers } = await callControl(controlSocket, { do: 'status' });
        return phase === 'running' && (!hasStandby || workers.some(({ stage }) => stage === 'warm'));
      }),
    stop: gateway.stop,
  };
}

/** A bare Koa that owns its port, killed and started again by a small parent. */
export async function startPortOwner(): Promise<Subject> {
  const target = await startPlain('port-owner.mjs');
  const servingPid = pidReader(target.url);
  return {
    url: `${target.url}/health`,
    servingPid,
    restart: () => restartBySignal({ servingPid, signal: () => process.kill(target.pid, 'SIGHUP') }),
    recovered: async () => {},
    stop: target.stop,
  };
}

/** Reads from a server's health which of its processes answers. Rejects while none does. */
export function pidReader(url: string, headers: Readonly<Record<string, string>> = {}): () => Promise<number> {
  return async () => {
    const client = createClient({ isFresh: true });
    const { text } = await client.call({ url: `${url}/health`, headers }).finally(client.close);
    const { pid } = JSON.parse(text) as { pid?: number };
    if (pid === undefined) throw new Error(`${url}/health does not tell who serves: ${text}`);
    return pid;
  };
}

/** Waits for a condition, at most 60 s; one that throws does not hold yet. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const isSo = await Promise.resolve()
      .then(holds)
      .catch(() => false);
    if (isSo) return;
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await sleep(20);
  }
}

async function restartBySignal({
  servingPid,
  signal,
}: {
  servingPid: Subject['servingPid'];
  signal(): void;
}): Promise<void> {
  const before = await servingPid();
  signal();
  await until('another process that serves', async () => (await servingPid()) !== before);
  // Two restarts asked for at once would become one.
  await until('the end of the old process', () => !existsSync(`/proc/${before}`));
}
