import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ancestorsOf, type ProcessEntry, readCommandLine, readProcesses } from '../../supervisor/process-table.ts';
import { pidOfDeadProcess } from './lock-samples.ts';

describe('readProcesses', () => {
  it('knows this process, its owner and its ancestors', async () => {
    const processes = await readProcesses([process.pid]);
    expect(processes.get(process.pid)).toMatchObject({ parentPid: process.ppid, uid: process.getuid?.() ?? null });
    expect(processes.has(process.ppid)).toBe(true);
    expect(ancestorsOf(process.pid, processes)[0]).toBe(process.ppid);
  });

  it('leaves out what is gone', async () => {
    expect((await readProcesses([pidOfDeadProcess()])).size).toBe(0);
  });
});

describe('readCommandLine', () => {
  it('tells a process with its arguments, and nothing of one that is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'one', 'two words']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const line = (await readCommandLine(child.pid ?? 0)) ?? '';
    expect(line.startsWith(process.execPath)).toBe(true);
    expect(line).toContain('one two words');
    expect(await readCommandLine(pidOfDeadProcess())).toBeUndefined();
  });
});

describe('ancestorsOf', () => {
  it('names them nearest first and ends where the table does', () => {
    expect(
      ancestorsOf(
        30,
        table([
          [30, 20],
          [20, 10],
          [10, 1],
        ]),
      ),
    ).toEqual([20, 10, 1]);
  });

  it('ends when a table that was read too slowly has a ring', () => {
    expect(
      ancestorsOf(
        30,
        table([
          [30, 20],
          [20, 30],
        ]),
      ),
    ).toEqual([20, 30]);
  });

  it('has none for an unknown process', () => {
    expect(ancestorsOf(99, table([[30, 20]]))).toEqual([]);
  });
});

function table(entries: [number, number][]): Map<number, ProcessEntry> {
  return new Map(
    entries.map(([pid, parentPid]) => [pid, { pid, parentPid, uid: null, command: 'x', startTime: null }]),
  );
}
