import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  clearRestartIntent,
  consumeAtStart,
  consumeRestartIntent,
  type Instance,
  type RestartIntent,
  writeRestartIntent,
} from '../../supervisor/intent.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { until } from './running-supervisor.ts';

const own: Instance = { pid: 4_321, instanceId: 'instance-1' };
const NOW = 1_800_000_000_000;

const intentFile = (): string => join(temporaryDirectory(), 'run', 'restart-intent.json');

/** Writes an announcement of now with these changes, or any text. */
function plant(content: Partial<Record<keyof RestartIntent, unknown>> | string): string {
  const file = join(temporaryDirectory(), 'restart-intent.json');
  const intent = { kind: 'gateway-restart', ...own, nonce: 'n', createdAt: NOW, expiresAt: NOW + 60_000 };
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify({ ...intent, ...content }));
  return file;
}

describe('an announced restart', () => {
  it('is consumed once by the gateway it is meant for', () => {
    const file = intentFile();
    const nonce = writeRestartIntent(file, own);
    const now = Date.now();
    const intent = consumeRestartIntent(file, { ...own, now });
    expect(intent).toMatchObject({ kind: 'gateway-restart', ...own, nonce });
    expect((intent?.expiresAt ?? 0) - (intent?.createdAt ?? 0)).toBe(60_000);
    expect(consumeRestartIntent(file, { ...own, now })).toBeNull();
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('is one short line for the owner only, and replaces an earlier one', () => {
    const file = intentFile();
    const first = writeRestartIntent(file, own);
    const second = writeRestartIntent(file, own);
    expect(second).not.toBe(first);
    const text = readFileSync(file, 'utf8');
    expect(text.length).toBeLessThan(1_024);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it('is taken back by its nonce, and by no other', () => {
    const file = intentFile();
    const nonce = writeRestartIntent(file, own);
    clearRestartIntent(file, 'another');
    expect(existsSync(file)).toBe(true);
    clearRestartIntent(file, nonce);
    expect(existsSync(file)).toBe(false);
    clearRestartIntent(file, nonce);
  });

  it.each([
    ['of another pid', { pid: 1 }],
    ['of another instance with our pid', { instanceId: 'instance-0' }],
    ['of another kind', { kind: 'gateway-stop' }],
    ['without an instance', { instanceId: undefined }],
    ['without a nonce', { nonce: undefined }],
    ['with a pid in words', { pid: '4321' }],
    ['with a pid of 0', { pid: 0 }],
    ['that has just expired', { createdAt: NOW - 60_000, expiresAt: NOW }],
    ['that is old', { createdAt: NOW - 3_600_000, expiresAt: NOW - 3_540_000 }],
    ['from the future', { createdAt: NOW + 1_000, expiresAt: NOW + 61_000 }],
    ['that wants to live for longer', { expiresAt: NOW + 60_001 }],
    ['without an end', { expiresAt: undefined }],
    ['that is empty', ''],
    ['that is cut off', '{"kind":"gateway-restart","pid":4321'],
    ['that is a list', '[]'],
    ['that is no text', '\u0000\uFFFF'],
    ['that is longer than 1,024 bytes', { nonce: 'n'.repeat(1_024) }],
  ])('%s does not count, and is removed', (_what, content) => {
    const file = plant(content);
    expect(consumeRestartIntent(file, { ...own, now: NOW })).toBeNull();
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it.each([
    ['at once', 0],
    ['at its last moment', 59_999],
  ])('counts %s', (_when, age) => {
    expect(consumeRestartIntent(plant({}), { ...own, now: NOW + age })).toMatchObject(own);
  });

  it('that cannot be read keeps nobody from going on', () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'restart-intent.json');
    symlinkSync(directory, file);
    expect(consumeRestartIntent(file, { ...own, now: NOW })).toBeNull();
    expect(consumeRestartIntent(join(directory, 'nowhere', 'file'), { ...own, now: NOW })).toBeNull();
    expect(existsSync(directory)).toBe(true);
  });
});

describe('at the start of the next gateway, an announced restart', () => {
  it('counts when it names the one whose lock was taken over', () => {
    expect(consumeAtStart(plant({}), { replaced: own, now: NOW })).toMatchObject(own);
  });

  it.each([
    ['another pid', { ...own, pid: 4_322 }],
    ['another instance', { ...own, instanceId: 'instance-2' }],
  ])('does not count when the lock was that of %s', (_what, replaced) => {
    const file = plant({});
    expect(consumeAtStart(file, { replaced, now: NOW })).toBeNull();
    expect(existsSync(file)).toBe(false);
  });

  it('counts without a lock when the one it names is gone', () => {
    const { pid } = spawnSync('true');
    expect(consumeAtStart(plant({ pid }), { replaced: null, now: NOW })).toMatchObject({ pid });
  });

  it('does not count without a lock when the one it names lives', async () => {
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill());
    await until(() => child.pid !== undefined, 'it runs');
    const file = plant({ pid: child.pid });
    expect(consumeAtStart(file, { replaced: null, now: NOW })).toBeNull();
    expect(existsSync(file)).toBe(false);
  });

  it('counts when the one before had our own pid, as in a container that was started again', () => {
    expect(consumeAtStart(plant({ pid: process.pid }), { replaced: null, now: NOW })).not.toBeNull();
  });

  it('does not count when it has expired: a crash later is a crash', () => {
    expect(consumeAtStart(plant({}), { replaced: own, now: NOW + 60_000 })).toBeNull();
  });

  it('is nothing when nobody has announced any', () => {
    expect(consumeAtStart(intentFile(), { replaced: null, now: NOW })).toBeNull();
  });
});
