import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listBackups, readBackup, revisionOf } from '../../../lib/config/backups.ts';
import { applyMergePatch } from '../../../lib/config/edit-text.ts';
import { ConfigError } from '../../../lib/config/load.ts';
import { type ConfigWrite, writeConfig } from '../../../lib/config/write.ts';
import { programPath } from '../../fixtures/programs.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const PROGRAM = programPath('config-writer');
const FILE =
  '{\n  // Ours.\n  "gateway": { "port": 1, "auth": { "token": "\x24{TOKEN:-0123456789abcdef}" } },\n  "future": 1\n}\n';

function home(text = FILE): { configPath: string; backupsDir: string } {
  const directory = temporaryDirectory();
  const configPath = join(directory, 'xopc.json');
  writeFileSync(configPath, text, { mode: 0o600 });
  return { configPath, backupsDir: join(directory, 'backups') };
}

const patch = (
  paths: ConfigWrite['paths'],
  value: unknown,
  options: Partial<Pick<ConfigWrite, 'expected' | 'allowsLoss'>> = {},
): ReturnType<typeof writeConfig> =>
  writeConfig({
    paths,
    env: {},
    change: (current) => applyMergePatch(current, value) as Record<string, unknown>,
    ...options,
  });

const read = ({ configPath }: { configPath: string }): string => readFileSync(configPath, 'utf8');

describe('a write of the configuration', () => {
  it('changes what it names, keeps every other byte and says what changed', async () => {
    const paths = home();
    const written = await patch(paths, { gateway: { port: 2 } });
    expect(read(paths)).toBe(FILE.replace('1, "auth"', '2, "auth"'));
    expect(written).toEqual({ revision: revisionOf(read(paths)), changed: ['gateway.port'], problems: [] });
    expect(listBackups(paths)).toMatchObject([{ id: 1, revision: revisionOf(FILE) }]);
    expect(readBackup(paths, 1)).toBe(FILE);
  });

  it('that changes nothing writes nothing', async () => {
    const paths = home();
    const before = statSync(paths.configPath);
    expect(await patch(paths, { gateway: { port: 1 } })).toMatchObject({ changed: [] });
    expect(statSync(paths.configPath).ino).toBe(before.ino);
    expect(existsSync(paths.backupsDir)).toBe(false);
  });

  it('makes the file when there is none', async () => {
    const paths = home();
    const next = { ...paths, configPath: join(paths.backupsDir, '..', 'other.json') };
    await patch(next, { gateway: { port: 2 } });
    expect(JSON.parse(read(next))).toEqual({ gateway: { port: 2 } });
    expect(statSync(next.configPath).mode & 0o777).toBe(0o600);
  });

  it('keeps the mode, and a link to the real file', async () => {
    const paths = home();
    const real = join(temporaryDirectory(), 'real.json');
    writeFileSync(real, FILE);
    chmodSync(real, 0o640);
    const link = join(paths.backupsDir, '..', 'link.json');
    symlinkSync(real, link);
    await patch({ ...paths, configPath: link }, { gateway: { port: 2 } });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('"port": 2');
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  it('keeps ten earlier ones, numbered on', async () => {
    const paths = home();
    for (let port = 2; port <= 14; port += 1) await patch(paths, { gateway: { port } });
    expect(listBackups(paths).map(({ id }) => id)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    expect(readBackup(paths, 13)).toContain('"port": 13');
    expect(readBackup(paths, 1)).toBeUndefined();
    expect(statSync(paths.backupsDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(paths.backupsDir, 'xopc.json.13')).mode & 0o777).toBe(0o600);
  });

  it('on a revision that is not there any more is a conflict', async () => {
    const paths = home();
    const expected = revisionOf(FILE);
    await patch(paths, { gateway: { port: 2 } }, { expected });
    await expect(patch(paths, { gateway: { port: 3 } }, { expected })).rejects.toMatchObject({ reason: 'conflict' });
    expect(read(paths)).toContain('"port": 2');
  });

  it('with a fault is refused with all of them, and one that was there before is no hindrance', async () => {
    const paths = home();
    await expect(patch(paths, { gateway: { port: 'x', bind: 'y' } })).rejects.toBeInstanceOf(ConfigError);
    expect(read(paths)).toBe(FILE);
    const broken = home(FILE.replace('"port": 1', '"port": "\x24{UNSET}"'));
    expect(await patch(broken, { future: 2 })).toMatchObject({
      changed: ['future'],
      problems: [{ path: 'gateway.port' }],
    });
    await expect(patch(broken, { gateway: { bind: 'y' } })).rejects.toBeInstanceOf(ConfigError);
    expect(await patch(broken, { gateway: { port: 3 } })).toMatchObject({ problems: [] });
  });

  it('leaves a file alone that is no JSON', async () => {
    const paths = home('{ "gateway": ');
    await expect(patch(paths, { gateway: { port: 2 } })).rejects.toMatchObject({ reason: 'broken' });
    expect(read(paths)).toBe('{ "gateway": ');
  });

  it('that removes a credential, or much at once, must be confirmed', async () => {
    const paths = home();
    await expect(patch(paths, { gateway: { auth: null } })).rejects.toMatchObject({
      reason: 'loss',
      message: expect.stringContaining('gateway.auth.token'),
    });
    expect(read(paths)).toBe(FILE);
    await patch(paths, { gateway: { auth: null } }, { allowsLoss: true });
    expect(read(paths)).not.toContain('auth');

    const many = home(
      JSON.stringify({ future: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i])) }),
    );
    await expect(patch(many, { future: null })).rejects.toMatchObject({ reason: 'loss' });
    await patch(many, { future: { k1: null } });
  });

  it('to a file that is closed against writing is refused, even as root', async () => {
    const paths = home();
    chmodSync(paths.configPath, 0o400);
    await expect(patch(paths, { gateway: { port: 2 } })).rejects.toMatchObject({ reason: 'unwritable' });
    expect(read(paths)).toBe(FILE);
  });

  it('on a full disk leaves the old file, and nothing else behind', () => {
    const paths = home();
    mkdirSync(paths.backupsDir);
    const { stdout } = spawnSync(
      'sh',
      ['-c', `ulimit -f 0; "$0" "$@" | cat`, process.execPath, PROGRAM, paths.configPath, 'patch', 'x'],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout).toContain('the disk is full');
    expect(read(paths)).toBe(FILE);
    expect(readdirSync(join(paths.backupsDir, '..')).sort()).toEqual(['backups', 'xopc.json']);
    expect(readdirSync(paths.backupsDir)).toEqual([]);
  });
});

describe('writers that are killed or many', () => {
  it('leave the old or the new file, whichever step they die at, and the next writer is not held up', async () => {
    const paths = home();
    const after = FILE.replace('"future": 1', '"future": 1,\n  "agents": {\n    "default": "new"\n  }');
    const seen = new Set<string>();
    let step = 1;
    for (let output = ''; output === ''; step += 1) {
      writeFileSync(paths.configPath, FILE, { mode: 0o600 });
      ({ stdout: output } = spawnSync(process.execPath, [PROGRAM, paths.configPath, 'kill', String(step)], {
        encoding: 'utf8',
      }));
      seen.add(read(paths));
      expect(['', 'done\n']).toContain(output);
      expect(statSync(paths.configPath).mode & 0o777).toBe(0o600);
    }
    expect([...seen].sort()).toEqual([FILE, after].sort());
    expect(step).toBeGreaterThan(12);
    await patch(paths, { gateway: { port: 9 } });
    expect(read(paths)).toContain('"port": 9');
  });

  it('of several processes lose no change of each other', async () => {
    const paths = home();
    const writers = ['a', 'b', 'c', 'd'].map((name) => {
      const child = spawn(process.execPath, [PROGRAM, paths.configPath, 'patch', name, '50'], { stdio: 'pipe' });
      return new Promise<string>((resolve) => {
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        child.on('close', () => resolve(text));
      });
    });
    expect(await Promise.all(writers)).toEqual(['done\n', 'done\n', 'done\n', 'done\n']);
    const { written } = JSON.parse(read(paths).replace('// Ours.', '')) as { written: object };
    expect(Object.keys(written)).toHaveLength(200);
    expect(readdirSync(join(paths.backupsDir, '..')).sort()).toEqual(['backups', 'xopc.json']);
  });
});
