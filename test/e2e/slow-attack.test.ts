import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { startWorld, type World } from './world.ts';

const missing = spawnSync('slowhttptest', ['-h']).error === undefined ? '' : ' (slowhttptest is not installed)';

const ATTACKERS = 60;
const SECONDS = 8;
/** What so many connections may take; the answers that are asked for would be a hundred times as much. */
const MAX_GROWTH_MB = 80;

describe.skipIf(missing !== '')(`a gateway under slow clients${missing}`, () => {
  let world: World;
  let gateway: Gateway;

  beforeAll(async () => {
    world = await startWorld();
    gateway = await startGateway({ config: world.configure(undefined, {}, { gateway: { maxConnections: 250 } }) });
  });
  afterAll(async () => {
    await stopAll();
    await world?.stop();
  });

  it('serves the others, keeps its memory and loses no worker', async () => {
    const worker = gateway.workerPid();
    const before = readRssMb(worker);
    let isOver = false;
    const attacks = Promise.all([
      attack(`${gateway.url}/`, ['-H', '-i', '1', '-x', '24']),
      attack(`${gateway.url}/api/message`, ['-B', '-i', '1', '-s', '8192', '-f', 'application/json']),
      // The page of the console, again and again on each connection, read byte by byte.
      attack(`${gateway.url}/`, ['-X', '-k', '10', '-n', '1', '-z', '1', '-w', '1', '-y', '10']),
    ]).finally(() => {
      isOver = true;
    });
    const seen: { status: number; ms: number }[] = [];
    let peak = before;
    while (!isOver) {
      const startedAt = performance.now();
      const { status } = await gateway.request('/api/sessions');
      seen.push({ status, ms: performance.now() - startedAt });
      peak = Math.max(peak, readRssMb(worker));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const report of await attacks) expect(report).toMatch(/service available:\s*YES/);
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    expect(seen.length).toBeGreaterThan(SECONDS);
    expect(peak - before).toBeLessThan(MAX_GROWTH_MB);
    expect(
      (await gateway.request('/api/agent', { method: 'POST', body: { message: 'still there?' } })).body,
    ).toMatchObject({
      reply: 'echo: still there?',
    });
    expect(gateway.workerPid()).toBe(worker);
  });
});

/** Runs one attack; resolves with its last report, in plain letters. */
function attack(url: string, mode: readonly string[]): Promise<string> {
  const args = [...mode, '-u', url, '-c', String(ATTACKERS), '-r', String(ATTACKERS), '-l', String(SECONDS), '-p', '3'];
  return new Promise((resolve, reject) => {
    execFile('slowhttptest', args, { maxBuffer: 10_000_000 }, (error, stdout) => {
      if (error !== null && error.code === 'ENOENT') reject(error);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it colours its words
      else resolve(stdout.replace(/\u001b\[[\d;]*[A-Za-z]/g, ''));
    });
  });
}

function readRssMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}
