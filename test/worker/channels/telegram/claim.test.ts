import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { createSecret, type LeaseProcess, startLeaseProcess } from '../lease-holders.ts';
import { createSession, NEVER, type Session } from './harness.ts';

let telegram: TelegramEmulator;
let open: Session[] = [];
let holders: LeaseProcess[] = [];
let nextBot = 90_000;
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
afterEach(async () => {
  await Promise.all(open.map((session) => session.channel.stop()));
  await Promise.all(holders.map((holder) => holder.kill()));
  open = [];
  holders = [];
});

const OWN = { stateDir: '/own/state', instanceId: 'own-instance' };

/** A channel that leases its token, which no other test on this machine has. */
async function begin(more: Parameters<typeof createSession>[1] = {}) {
  nextBot += 1;
  const session = await createSession(telegram, { token: `${nextBot}:${createSecret()}`, holder: OWN, ...more });
  open.push(session);
  return session;
}

/** Another gateway on this machine that has the token of a channel. */
async function occupy(session: Session, instanceId = 'their-instance'): Promise<LeaseProcess> {
  const given = { channel: 'telegram', secret: session.token, stateDir: '/their/state', instanceId };
  const holder = await startLeaseProcess(given);
  holders.push(holder);
  return holder;
}

const say = (session: Session, text: string) =>
  telegram.userMessage({ token: session.token, chat: 42, from: 42, text });
const calls = (session: Session) => telegram.calls({ token: session.token });
const state = (session: Session) => session.channel.status()[0]?.state;
const warnings = (session: Session) => session.logged.filter((line) => line.startsWith('warn'));
const waitMs = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('an account whose token another gateway of this machine has', () => {
  it('says who and does not poll, and takes over when that one ends', async () => {
    const session = await begin();
    const other = await occupy(session);
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('conflict');
    expect(session.lastError()).toContain(`process ${other.pid}, state directory /their/state`);
    await waitMs(200);
    expect(await calls(session)).toEqual([]);
    expect(warnings(session)).toHaveLength(1);
    await other.kill();
    await say(session, 'mine now');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['mine now']);
    expect(session.states()).toEqual(['starting', 'conflict', 'starting', 'up']);
    expect(session.lastError()).toBeUndefined();
    expect(JSON.stringify([session.statuses, session.logged])).not.toContain('canary');
  });

  it('stops at once when it is told to', async () => {
    const session = await begin({ timing: { leaseRetryMs: 60_000 } });
    await occupy(session);
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('conflict');
    await session.channel.stop();
    expect(state(session)).toBe('idle');
  });
});

describe('an account whose token its own predecessor has', () => {
  it('waits for it without a word', async () => {
    const session = await begin({ timing: { leaseRetryMs: 60_000 } });
    const predecessor = await occupy(session, OWN.instanceId);
    await session.channel.start(NEVER);
    await waitMs(200);
    expect(state(session)).toBe('starting');
    expect(await calls(session)).toEqual([]);
    await predecessor.kill();
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('up');
    expect(session.states()).toEqual(['starting', 'up']);
    expect(warnings(session)).toEqual([]);
  });
});

describe('an account whose token a frozen program has', () => {
  it('polls after three tries without an answer, and steps back when the program lives again', async () => {
    const session = await begin();
    const other = await occupy(session);
    other.child.kill('SIGSTOP');
    await session.channel.start(NEVER);
    await say(session, 'meanwhile');
    await expect.poll(session.texts, { timeout: 8_000 }).toEqual(['meanwhile']);
    expect(session.states()).toEqual(['starting', 'up']);
    other.child.kill('SIGCONT');
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('conflict');
    expect(session.lastError()).toContain(`process ${other.pid}`);
    const soFar = (await calls(session)).length;
    await waitMs(200);
    expect(await calls(session)).toHaveLength(soFar);
    await other.kill();
    await say(session, 'again');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['meanwhile', 'again']);
  });

  it('has the token itself once that program is killed, without a break', async () => {
    const session = await begin();
    const other = await occupy(session);
    other.child.kill('SIGSTOP');
    await session.channel.start(NEVER);
    await expect.poll(() => state(session), { timeout: 8_000 }).toBe('up');
    await other.kill();
    const isHeldByUs = async () => JSON.stringify((await occupy(session)).said).includes(OWN.instanceId);
    await waitMs(200);
    await expect.poll(isHeldByUs, { timeout: 5_000 }).toBe(true);
    expect(session.states()).toEqual(['starting', 'up']);
  });

  it('stops at once, even while it asks', async () => {
    const session = await begin({ timing: { leaseAnswerMs: 60_000 } });
    const other = await occupy(session);
    other.child.kill('SIGSTOP');
    await session.channel.start(NEVER);
    await waitMs(50);
    await session.channel.stop();
    expect(state(session)).toBe('idle');
  });
});

describe('the token of an account', () => {
  it('is held while it polls and free after the stop', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('up');
    expect((await occupy(session)).said).toEqual({ heldBy: { pid: process.pid, ...OWN } });
    await session.channel.stop();
    expect((await occupy(session)).said).toEqual({ taken: true });
  });

  it('is free again when Telegram refuses it', async () => {
    const session = await begin({ isRegistered: false });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('down');
    await expect.poll(async () => (await occupy(session)).said, { timeout: 5_000 }).toEqual({ taken: true });
  });

  it('that a second account of this gateway has too makes one of them say so', async () => {
    const first = await begin();
    await first.channel.start(NEVER);
    await expect.poll(() => state(first)).toBe('up');
    const second = await begin({ token: first.token, isRegistered: false });
    await second.channel.start(NEVER);
    await expect.poll(() => state(second)).toBe('conflict');
    expect(second.lastError()).toContain('Another account of this gateway');
    await first.channel.stop();
    await say(second, 'for the other');
    await expect.poll(second.texts, { timeout: 5_000 }).toEqual(['for the other']);
    expect(state(second)).toBe('up');
  });
});
