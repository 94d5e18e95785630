import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findRepository } from '../../emulators/core/spawned.ts';

/** The program that boots a throw-away systemd for a command; undefined where there is none, and then these tests are skipped. */
export const withSystemd = findTool();

function findTool(): string | undefined {
  const path = process.env['XOPC_WITH_SYSTEMD'];
  return path !== undefined && existsSync(path) && process.getuid?.() === 0 ? path : undefined;
}

export type Machine = {
  /** Options of with-systemd. */
  options?: readonly string[];
  timeoutMs?: number;
};

export type Proof = { code: number; output: string };

/** Where the repository is on the machine. */
export const PLACE = '/opt/xopc';

/** Boots a machine and runs one of the scenarios of `test/fixtures/service.program.ts` there, as an ordinary user. */
export function proveOnMachine(scenario: string, { options = [], timeoutMs = 110_000 }: Machine = {}): Promise<Proof> {
  const program = join(PLACE, '.tmp', 'test', 'fixtures', 'service.program.js');
  const args = [
    ...['--bind-ro', `${findRepository()}:${PLACE}`, '--timeout', String(Math.floor(timeoutMs / 1_000))],
    ...[...options, '--', process.execPath, program, scenario],
  ];
  return new Promise((resolve) => {
    execFile(withSystemd ?? '', args, { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}
