import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { takeTokenLease } from '../../../worker/channels/token-lease.ts';
import { createSecret, type LeaseProcess, startLeaseProcess } from './lease-holders.ts';

const OWN = { pid: process.pid, stateDir: '/own', instanceId: 'own' };

let holders: LeaseProcess[] = [];
let cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(holders.map((holder) => holder.kill()));
  for (const cleanUp of cleanUps) await cleanUp();
  holders = [];
  cleanUps = [];
});

async function hold(options: Parameters<typeof startLeaseProcess>[0]): Promise<LeaseProcess> {
  const holder = await startLeaseProcess(options);
  holders.push(holder);
  // One that is killed leaves its file to the next one who wants the lease.
  cleanUps.push(() => rmSync(leaseFile(options.secret), { force: true }));
  return holder;
}

/** Takes the lease in this process; it is given back after the test. */
async function take(secret: string, more: Partial<Parameters<typeof takeTokenLease>[0]> = {}) {
  const taken = await takeTokenLease({ channel: 'test', secret, holder: OWN, ...more });
  if ('release' in taken) cleanUps.push(taken.release);
  return taken;
}

const isFree = async (...given: Parameters<typeof take>) => 'release' in (await take(...given));

describe.each(['linux', 'darwin'] as const)('a lease made as on %s', (platform) => {
  it('names its holder to whoever asks for it next', async () => {
    const secret = createSecret();
    const first = await hold({ platform, secret, stateDir: '/the/first', instanceId: 'first' });
    expect(first.said).toEqual({ taken: true });
    const told = { pid: first.pid, stateDir: '/the/first', instanceId: 'first' };
    const second = await hold({ platform, secret, stateDir: '/the/second' });
    expect(second.said).toEqual({ heldBy: told });
    expect(await take(secret, { platform })).toEqual({ heldBy: told });
  });

  it('is free within a second after its holder was killed', async () => {
    const secret = createSecret();
    const holder = await hold({ platform, secret });
    expect(await isFree(secret, { platform })).toBe(false);
    await holder.kill();
    const since = performance.now();
    expect(await isFree(secret, { platform })).toBe(true);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it('of a frozen holder stays with it, and nobody is named', async () => {
    const secret = createSecret();
    const holder = await hold({ platform, secret });
    holder.child.kill('SIGSTOP');
    expect(await take(secret, { platform, answerMs: 150 })).toEqual({ heldBy: undefined });
    holder.child.kill('SIGCONT');
    expect(await take(secret, { platform })).toMatchObject({ heldBy: { pid: holder.pid } });
  });

  it('goes to exactly one of many who want it at once', async () => {
    const secret = createSecret();
    const taken = await Promise.all(Array.from({ length: 20 }, () => take(secret, { platform })));
    expect(taken.filter((one) => 'release' in one)).toHaveLength(1);
    expect(taken.filter((one) => 'heldBy' in one && one.heldBy?.pid === process.pid)).toHaveLength(19);
  });

  it('of a killed holder goes to exactly one of many', async () => {
    const secret = createSecret();
    await (await hold({ platform, secret })).kill();
    const taken = await Promise.all(Array.from({ length: 20 }, () => take(secret, { platform })));
    expect(taken.filter((one) => 'release' in one)).toHaveLength(1);
  });

  it('can be taken again as soon as it was given back', async () => {
    const secret = createSecret();
    for (let round = 0; round < 3; round += 1) {
      const taken = await take(secret, { platform });
      if (!('release' in taken)) throw new Error('it is not free');
      await taken.release();
      await taken.release();
    }
    expect(await isFree(secret, { platform })).toBe(true);
  });

  it('does not keep its process alive, even while somebody asks', async () => {
    const holder = await hold({ platform, secret: createSecret(), endsAlone: true });
    if (holder.child.exitCode === null) await once(holder.child, 'exit');
    expect(holder.child.exitCode).toBe(0);
  });
});

describe('a lease', () => {
  it('shows the fingerprint and never the secret', async () => {
    const secret = createSecret();
    await hold({ secret });
    await hold({ secret, platform: 'darwin' });
    const shown = readFileSync('/proc/net/unix', 'utf8');
    expect(shown).toMatch(/@xopc-lease-test-[0-9a-f]{24}/);
    expect(shown).toMatch(/\/tmp\/xopc-lease-test-[0-9a-f]{24}\.sock/);
    expect(shown).not.toContain(secret);
  });

  it('of another credential or channel is another one', async () => {
    const secret = createSecret();
    expect(await isFree(secret)).toBe(true);
    expect(await isFree(createSecret())).toBe(true);
    expect(await isFree(secret, { channel: 'test-two' })).toBe(true);
    expect(await isFree(secret)).toBe(false);
  });

  it('leaves no file behind when it is given back', async () => {
    const secret = createSecret();
    const taken = await take(secret, { platform: 'darwin' });
    expect(existsSync(leaseFile(secret))).toBe(true);
    if ('release' in taken) await taken.release();
    expect(existsSync(leaseFile(secret))).toBe(false);
  });

  it('is asked for no longer than the signal allows', async () => {
    const secret = createSecret();
    const holder = await hold({ secret });
    holder.child.kill('SIGSTOP');
    const controller = new AbortController();
    const since = performance.now();
    const asking = take(secret, { answerMs: 30_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    expect(await asking).toEqual({ heldBy: undefined });
    expect(performance.now() - since).toBeLessThan(10_000);
  });
});

describe('a stranger on the socket', () => {
  it.each([
    ['says nothing', () => undefined],
    ['says what is no JSON', (socket: Socket) => void socket.end('hello\n')],
    ['says JSON of another shape', (socket: Socket) => void socket.end('{"pid":"x"}\n')],
    ['hangs up', (socket: Socket) => void socket.destroy()],
    ['never stops talking', (socket: Socket) => void socket.write('x'.repeat(100_000))],
  ])('that %s counts as a holder without a name', async (_what, answer) => {
    const secret = createSecret();
    const name = nameLease(secret);
    const stranger = createServer((socket) => {
      socket.on('error', () => undefined);
      answer(socket);
    });
    await new Promise<void>((resolve) => stranger.listen({ path: name }, resolve));
    cleanUps.push(() => stranger.close());
    expect(await take(secret, { answerMs: 150 })).toEqual({ heldBy: undefined });
  });
});

describe('one who asks and then stays', () => {
  it('does not keep the holder from giving the lease back', async () => {
    const secret = createSecret();
    const taken = await take(secret);
    const lingering = connect({ path: nameLease(secret), allowHalfOpen: true });
    cleanUps.push(() => lingering.destroy());
    await once(lingering, 'data');
    if ('release' in taken) await taken.release();
    expect(await isFree(secret)).toBe(true);
  });
});

/** The name of a secret's lease on Linux. */
function nameLease(secret: string): string {
  return `\0xopc-lease-test-${fingerprint(secret)}`;
}

/** Its file where there are no such names. */
function leaseFile(secret: string): string {
  return `/tmp/xopc-lease-test-${fingerprint(secret)}.sock`;
}

function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 24);
}
