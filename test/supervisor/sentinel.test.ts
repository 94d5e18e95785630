import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { programPath } from '../fixtures/programs.ts';
import { isRunning, until } from './running-supervisor.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

type Blocked = { child: ChildProcess; output(): string };

function start(...args: string[]): Blocked {
  const child = spawn(process.execPath, [programPath('blocking'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text };
}

describe('a blocked main loop', () => {
  it('is told with the stack of what blocks it, once, and goes on', async () => {
    const { output } = start('spin', '2500');
    await until(() => output().includes('went on'), 'it goes on', 15_000);
    expect(output().match(/The main loop is blocked/g)).toHaveLength(1);
    expect(output()).toMatch(/at spinForLong \(file:.*blocking\.program\.js:\d+:\d+\)/);
  });

  it('that waits for something synchronously is told too', async () => {
    const { output } = start('wait', '1500');
    await until(() => output().includes('The main loop is blocked'), 'it is told', 15_000);
    expect(output()).toContain('blocking.program.js');
  });

  it('that is none is not told', async () => {
    const { output } = start('none');
    await until(() => output().includes('went on'), 'it goes on', 15_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(output()).toBe('went on\n');
  });
});

describe('a process whose parent is gone', () => {
  it('ends although its main loop is blocked', async () => {
    const script = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(programPath('blocking'))}, 'wait', '60000'], { stdio: 'ignore', detached: true });
      console.log(child.pid); setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    let text = '';
    parent.stdout.on('data', (chunk) => (text += String(chunk)));
    await until(() => text.endsWith('\n'), 'the pid is told');
    const pid = Number(text);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isRunning(pid), 'it is gone', 3_000);
  });
});
