import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimFile, sweepTokens } from '../../supervisor/lock-claim.ts';
import { readStartTime } from '../../supervisor/process-identity.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { lockRecordText, makeOlder, pidOfDeadProcess } from './lock-samples.ts';

let directory: ReturnType<typeof makeTemporaryDirectory>;
let file: string;
let ours: string;

beforeEach(async () => {
  directory = makeTemporaryDirectory();
  file = join(directory.path, 'gateway.lock');
  ours = lockRecordText({ instanceId: 'ours', startTime: await readStartTime(process.pid) });
});

afterEach(() => directory.remove());

describe('claimFile', () => {
  it('wins a free file with its whole content and leaves nothing else', async () => {
    expect(await claim()).toEqual({ t: 'won', replaced: null });
    expect(readFileSync(file, 'utf8')).toBe(ours);
    expect(readdirSync(directory.path)).toEqual(['gateway.lock']);
  });

  it('does not win twice', async () => {
    await claim();
    expect(await claim()).toMatchObject({ t: 'held', holder: { reason: 'alive', owner: { instanceId: 'ours' } } });
  });

  it('replaces a stale file, says whose it was, and removes its token', async () => {
    writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'the dead' }));
    expect(await claim()).toMatchObject({ t: 'won', replaced: { instanceId: 'the dead' } });
    expect(readFileSync(file, 'utf8')).toBe(ours);
    expect(readdirSync(directory.path)).toEqual(['gateway.lock']);
  });

  it('waits for a taker that lives, even one that is stopped on the way', async () => {
    const stale = lockRecordText({ pid: pidOfDeadProcess() });
    writeFileSync(file, stale);
    const taker = lockRecordText({ instanceId: 'taker', startTime: await readStartTime(process.pid) });
    writeFileSync(tokenOf(stale), taker);
    expect(await claim()).toMatchObject({ t: 'held', holder: { owner: { instanceId: 'taker' } } });
    expect(readFileSync(file, 'utf8')).toBe(stale);
    expect(readFileSync(tokenOf(stale), 'utf8')).toBe(taker);
  });

  it('takes over from takers that died one after the other', async () => {
    const stale = lockRecordText({ pid: pidOfDeadProcess() });
    const firstTaker = lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'first taker' });
    writeFileSync(file, stale);
    writeFileSync(tokenOf(stale), firstTaker);
    const secondToken = `${tokenOf(stale)}.takeover.${hashOf(firstTaker)}`;
    writeFileSync(secondToken, lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'second taker' }));
    expect(await claim()).toMatchObject({ t: 'won', replaced: { instanceId: 'sample' } });
    expect(readFileSync(file, 'utf8')).toBe(ours);
    expect(readdirSync(directory.path)).toEqual(['gateway.lock']);
  });

  it('takes a lock from another pid namespace only when forced, or when its owner was silent for a minute', async () => {
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]' }));
    expect(await claim()).toMatchObject({ t: 'held', holder: { reason: 'foreign-namespace' } });
    expect(await claim(true)).toMatchObject({ t: 'won', replaced: { pidNamespace: 'pid:[1]' } });
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]' }));
    makeOlder(file, 61);
    expect(await claim()).toMatchObject({ t: 'won', replaced: { pidNamespace: 'pid:[1]' } });
  });

  it('waits for a taker in another pid namespace, but not for one that was killed there', async () => {
    const stale = lockRecordText({ pid: pidOfDeadProcess() });
    writeFileSync(file, stale);
    writeFileSync(tokenOf(stale), lockRecordText({ pidNamespace: 'pid:[1]', instanceId: 'taker' }));
    expect(await claim()).toMatchObject({ t: 'held', holder: { owner: { instanceId: 'taker' } } });
    makeOlder(tokenOf(stale), 61);
    expect(await claim()).toMatchObject({ t: 'won' });
    expect(readdirSync(directory.path)).toEqual(['gateway.lock']);
  });

  it('takes content that is no record over from nobody', async () => {
    writeFileSync(file, '{"pid":');
    makeOlder(file, 3);
    expect(await claim()).toEqual({ t: 'won', replaced: null });
  });
});

describe('sweepTokens', () => {
  it('removes the tokens of this lock and of no other', () => {
    writeFileSync(`${file}.takeover.1`, '');
    writeFileSync(`${file}.takeover.1.takeover.2`, '');
    writeFileSync(join(directory.path, 'other.lock.takeover.1'), '');
    writeFileSync(file, ours);
    sweepTokens(file);
    expect(readdirSync(directory.path).sort()).toEqual(['gateway.lock', 'other.lock.takeover.1']);
    expect(existsSync(file)).toBe(true);
  });
});

function claim(isForced = false): ReturnType<typeof claimFile> {
  return claimFile({ file, content: ours, isForced });
}

function tokenOf(text: string): string {
  return `${file}.takeover.${hashOf(text)}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
