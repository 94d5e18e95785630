import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { startLlmEmulator, startTelegramEmulator } from './start.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('an emulator is a process of its own that ends when it is stopped, however often', async () => {
  const telegram = await startTelegramEmulator();
  expect(isAlive(telegram.pid)).toBe(true);
  await telegram.stop();
  await telegram.stop();
  expect(isAlive(telegram.pid)).toBe(false);
});

it('an emulator takes the port it is given', async () => {
  const first = await startLlmEmulator();
  const port = Number(new URL(first.url).port);
  await first.stop();
  const second = await startLlmEmulator({ port });
  expect(second.url).toBe(first.url);
  await second.stop();
});

it('an emulator ends by itself when the process that started it is killed', async () => {
  const entry = '.tmp/test/emulators/llm/main.js';
  expect(existsSync(entry)).toBe(true);
  const script = `const c = require('node:child_process').spawn(process.execPath, ['${entry}'], { stdio: 'ignore' }); console.log(c.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))));
  await vi.waitFor(() => expect(isAlive(pid)).toBe(true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 3000 });
});
