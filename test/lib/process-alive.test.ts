import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { isProcessAlive } from '../../lib/process-alive.ts';

it('a process is there until it has ended', async () => {
  expect(isProcessAlive(process.pid)).toBe(true);
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  expect(isProcessAlive(child.pid ?? 0)).toBe(false);
});
