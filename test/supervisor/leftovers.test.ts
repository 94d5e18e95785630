import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSyncedFile } from '../../lib/fs.ts';
import { sweepLeftovers } from '../../supervisor/leftovers.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';

describe('what a killed process left unfinished', () => {
  it('is removed, whichever file it should have become', () => {
    const directory = temporaryDirectory();
    const pid = deadPid();
    fill(directory, [
      `.gateway.abc.lock.${pid}.47438834`,
      `.state.lock.takeover.0123456789abcdef.${pid}.0a1b2c3d`,
      `.last-exits.json.${pid}.deadbeef`,
      `.restart-intent.json.${pid}.taken`,
    ]);
    sweepLeftovers([directory]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is removed in each folder, also when one of them is missing or no folder', () => {
    const [first, second] = [temporaryDirectory(), temporaryDirectory()];
    for (const directory of [first, second]) fill(directory, [`.a.${deadPid()}.deadbeef`]);
    fill(second, ['file']);
    sweepLeftovers([join(first, 'missing'), join(second, 'file'), first, second]);
    expect([readdirSync(first), readdirSync(second)]).toEqual([[], ['file']]);
  });

  it('may be something that cannot be removed, without harm to the rest', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, `.a.${deadPid()}.deadbeef`, 'inside'), { recursive: true });
    fill(directory, [`.b.${deadPid()}.deadbeef`]);
    sweepLeftovers([directory]);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('is removed as the link that it is, not what it points to', () => {
    const directory = temporaryDirectory();
    fill(directory, ['precious']);
    symlinkSync(join(directory, 'precious'), join(directory, `.a.${deadPid()}.deadbeef`));
    sweepLeftovers([directory]);
    expect(readdirSync(directory)).toEqual(['precious']);
  });
});

describe('every other file', () => {
  it('stays: complete ones, those of other programs, and those that a living process is writing', () => {
    const directory = temporaryDirectory();
    const path = createSyncedFile(join(directory, 'own.json'), '{}');
    const names = [
      'gateway.abc.lock',
      `gateway.abc.lock.takeover.0123456789abcdef`,
      `crash-20260304T050607000Z-${deadPid()}.log`,
      '.hidden',
      `.a.${deadPid()}`,
      `.a.${deadPid()}.deadbee`,
      `.a.${deadPid()}.DEADBEEF`,
      '.a.0.deadbeef',
      '.a.x.deadbeef',
      '.a.1.deadbeef',
    ];
    fill(directory, names);
    sweepLeftovers([directory]);
    const own = path.slice(directory.length + 1);
    expect(readdirSync(directory).sort()).toEqual([...names, own].sort());
  });
});

/** A pid that nobody has any more. */
function deadPid(): number {
  return spawnSync('true').pid;
}

function fill(directory: string, names: readonly string[]): void {
  for (const name of names) writeFileSync(join(directory, name), 'x');
}
