import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerExit } from '../../lib/control.ts';
import { readExits, writeExits } from '../../supervisor/exit-file.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';

const EXIT: WorkerExit = {
  ...{ generation: 1, pid: 2, at: '2026-01-01T00:00:00.000Z', uptimeMs: 3, code: 1, signal: null, isCrash: true },
  ...{ reason: 'exit code 1', firstErrorLine: 'Error: x', crashLog: '/logs/crash.log' },
};

let directory: ReturnType<typeof makeTemporaryDirectory>;
let file: string;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  file = join(directory.path, 'run', 'last-exits.json');
});

afterEach(() => directory.remove());

describe('the file of the last exits', () => {
  it('reads back as it was written, for the owner only', () => {
    const exits = [EXIT, { ...EXIT, pid: null, code: null, signal: 'SIGKILL', firstErrorLine: null, crashLog: null }];
    writeExits(file, exits);
    expect(readExits(file)).toEqual(exits);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveLength(2);
  });

  it('has nothing to tell when it does not exist', () => {
    expect(readExits(file)).toEqual([]);
  });

  it.each(['', '{', 'null', '7', '"x"', '{"generation":1}', '[null,1,"x",[],{}]', '[{"generation":"1"}]', '\0\0\0'])(
    'has nothing to tell when it holds %j',
    (text) => {
      writeRaw(text);
      expect(readExits(file)).toEqual([]);
    },
  );

  it.each(['generation', 'at', 'uptimeMs', 'isCrash', 'reason'])(
    'leaves out a record without %s, and keeps the others',
    (field) => {
      const broken: Record<string, unknown> = { ...EXIT };
      delete broken[field];
      writeRaw(JSON.stringify([broken, EXIT]));
      expect(readExits(file)).toEqual([EXIT]);
    },
  );

  it('takes what is not known for null, and drops what it does not know', () => {
    const { generation, at, uptimeMs, isCrash, reason } = EXIT;
    writeRaw(JSON.stringify([{ generation, at, uptimeMs, isCrash, reason, code: 'one', extra: 1 }]));
    expect(readExits(file)).toEqual([{ ...EXIT, pid: null, code: null, firstErrorLine: null, crashLog: null }]);
  });

  it('that cannot be read tells nothing, and that cannot be written throws', () => {
    mkdirSync(file, { recursive: true });
    expect(readExits(file)).toEqual([]);
    expect(() => writeExits(file, [EXIT])).toThrow();
  });
});

function writeRaw(text: string): void {
  writeExits(file, []);
  writeFileSync(file, text);
}
