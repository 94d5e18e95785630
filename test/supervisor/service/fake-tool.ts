import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';

export type FakeTool = { env: { PATH: string }; calls(): string[] };

/** A program of the operating system that writes down how it was called, then says and does what such a system was seen to. `$n` counts its calls. */
export function fakeTool(name: string, script: string): FakeTool {
  const directory = temporaryDirectory();
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/sh\necho "$*" >> "$0.calls"\nn=$(wc -l < "$0.calls")\n${script}\n`);
  chmodSync(file, 0o755);
  return {
    env: { PATH: `${directory}:${process.env['PATH']}` },
    calls: () => (existsSync(`${file}.calls`) ? readFileSync(`${file}.calls`, 'utf8').trim().split('\n') : []),
  };
}
