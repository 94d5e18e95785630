import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { reapSurvivors } from '../../supervisor/reaper.ts';
import { programPath } from '../fixtures/programs.ts';
import { isRunning, until } from './running-supervisor.ts';

const DEAD = '11111111-2222-4333-8444-555555555555';
const ALIVE = '99999999-2222-4333-8444-555555555555';

const children: ChildProcess[] = [];
const pids: number[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of pids.splice(0)) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
});

describe.runIf(process.platform === 'linux')('reapSurvivors', () => {
  it('kills what the dead instance left, also in a session of its own and with another parent, and names it', async () => {
    const child = start('exec sleep 60', DEAD);
    const orphan = await startOrphan('sleep 60 & echo $!', DEAD);
    const apart = await startOrphan('setsid sleep 60 & echo $!', DEAD);
    const deaf = await startOrphan(
      'trap "" TERM INT HUP; sh -c "trap \\"\\" TERM INT HUP; sleep 60 & wait" & echo $!',
      DEAD,
    );
    await until(() => [child, orphan, apart].every((pid) => commandOf(pid) === 'sleep'), 'all have started');
    expect(sessionOf(apart)).toBe(apart);
    const ended = await reapSurvivors(DEAD);
    for (const pid of [child, orphan, apart, deaf]) {
      expect(ended.map((survivor) => survivor.pid)).toContain(pid);
      await until(() => !isRunning(pid), `${pid} is gone`);
    }
    expect(ended).toContainEqual({ pid: apart, command: 'sleep' });
    expect(await reapSurvivors(DEAD)).toEqual([]);
  });

  it('leaves everybody else alone: another instance, no instance, and names that only begin or end alike', async () => {
    const innocents = [
      start('exec sleep 60', ALIVE),
      start('exec sleep 60', undefined),
      start('exec sleep 60', `${DEAD}0`),
      start('exec sleep 60', undefined, { NOT_XOPC_INSTANCE: DEAD, OTHER: `XOPC_INSTANCE=${DEAD}` }),
    ];
    await until(() => innocents.every((pid) => commandOf(pid) === 'sleep'), 'all have started');
    expect(await reapSurvivors(DEAD)).toEqual([]);
    expect(innocents.map(isRunning)).toEqual(innocents.map(() => true));
  });

  it('reaps nobody for an id that is empty', async () => {
    const pid = start('exec sleep 60', '');
    await until(() => commandOf(pid) === 'sleep', 'it has started');
    expect(await reapSurvivors('')).toEqual([]);
    expect(isRunning(pid)).toBe(true);
  });

  it('catches those that are started while it looks', async () => {
    const pid = start('while :; do sleep 0.02 & done', DEAD);
    await until(() => childrenOf(pid).length > 0, 'it starts others');
    const ended = await reapSurvivors(DEAD);
    expect(ended.map((survivor) => survivor.pid)).toContain(pid);
    expect(await reapSurvivors(DEAD)).toEqual([]);
    await until(() => !isRunning(pid), 'it is gone');
  });

  it('never ends the process that asks, nor its ancestors, though a dead gateway started them', async () => {
    const { stdout, status } = spawnSync(
      'sh',
      ['-c', `sleep 60 & echo $!; "${process.execPath}" "${programPath('reaping')}" ${DEAD}; echo still here`],
      { encoding: 'utf8', env: { PATH: process.env['PATH'], XOPC_INSTANCE: DEAD } },
    );
    const [sleeper = '', answer = '', last = ''] = stdout.split('\n');
    expect(JSON.parse(answer)).toEqual([{ pid: Number(sleeper), command: 'sleep' }]);
    expect([last, status]).toEqual(['still here', 0]);
  });

  it.runIf(process.getuid?.() === 0)('leaves processes of other users alone', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore', uid: 65_534, env: { XOPC_INSTANCE: DEAD } });
    children.push(child);
    await until(() => commandOf(child.pid ?? 0) === 'sleep', 'it has started');
    expect(await reapSurvivors(DEAD)).toEqual([]);
    expect(isRunning(child.pid ?? 0)).toBe(true);
  });

  it('does not name a zombie', async () => {
    const pid = start('sleep 0.01 & exec sleep 60', DEAD);
    await until(
      () => commandOf(pid) === 'sleep' && childrenOf(pid).some((child) => !isRunning(child)),
      'there is a zombie',
    );
    expect((await reapSurvivors(DEAD)).map((survivor) => survivor.pid)).toEqual([pid]);
  });
});

function start(script: string, instanceId: string | undefined, env: Record<string, string> = {}): number {
  const child = spawn('sh', ['-c', script], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...(instanceId === undefined ? {} : { XOPC_INSTANCE: instanceId }), ...env },
  });
  children.push(child);
  return child.pid ?? 0;
}

/** Runs a script that starts a process in the background and says its pid; the script's shell is gone afterwards. */
async function startOrphan(script: string, instanceId: string): Promise<number> {
  const child = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], XOPC_INSTANCE: instanceId },
  });
  const ended = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  await ended;
  const pid = Number(line);
  pids.push(pid);
  return pid;
}

function commandOf(pid: number): string {
  return statOf(pid)?.name ?? '';
}

function sessionOf(pid: number): number {
  return Number(statOf(pid)?.fields[3]);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function statOf(pid: number): { name: string; fields: string[] } | undefined {
  try {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, fields: rest.split(' ') };
  } catch {
    return undefined;
  }
}
