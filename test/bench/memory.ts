import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pssMb, rssMb } from './proc.ts';
import { type Bench, limitRow, median, type Row } from './result.ts';
import { startGateway, startPlain } from './target.ts';

const SETTLE_MS = 10_000;
const QUICK_SETTLE_MS = 2_000;

/** Memory of both processes ten seconds after the start, and what the supervisor needs beyond a Node that does nothing. */
export const memoryBench: Bench = {
  name: 'memory',
  async run({ isQuick }) {
    const plain = await startPlain('plain-koa.mjs');
    const gateway = await startGateway();
    const idle = startIdle();
    try {
      await sleep(isQuick ? QUICK_SETTLE_MS : SETTLE_MS);
      return [
        totalRow({ supervisor: gateway.pid, worker: gateway.workerPid(), plain: plain.pid }),
        supervisorRow(
          gateway.pid,
          idle.map(({ pid }) => pid ?? 0),
        ),
      ];
    } finally {
      for (const child of idle) child.kill('SIGKILL');
      await Promise.all([plain.stop(), gateway.stop()]);
    }
  },
};

/** Three, because the resident set of equal processes differs by some hundred kilobytes. */
function startIdle(): ChildProcess[] {
  return [1, 2, 3].map(() =>
    spawn('node', ['-e', 'setInterval(() => {}, 1e9)'], { env: { PATH: process.env['PATH'] }, stdio: 'ignore' }),
  );
}

function totalRow(pids: { supervisor: number; worker: number; plain: number }): Row {
  const [supervisor, worker, plain] = [pssMb(pids.supervisor), pssMb(pids.worker), pssMb(pids.plain)];
  const row = limitRow({
    what: 'Memory when idle, PSS of both processes',
    value: supervisor + worker,
    unit: 'MB',
    atMost: 110,
    baseline: `${plain.toFixed(1)} MB (bare Koa hello)`,
  });
  return { ...row, ours: `${supervisor.toFixed(1)} + ${worker.toFixed(1)} MB` };
}

function supervisorRow(supervisor: number, idle: readonly number[]): Row {
  const [rss, pss] = [median(idle.map(rssMb)), median(idle.map(pssMb))];
  const row = limitRow({
    what: 'RSS of the supervisor over a Node that only waits',
    value: rssMb(supervisor) - rss,
    unit: 'MB',
    atMost: 6,
    baseline: `${rss.toFixed(1)} MB (PSS ${pss.toFixed(1)})`,
  });
  return { ...row, ours: `${rssMb(supervisor).toFixed(1)} MB (PSS ${pssMb(supervisor).toFixed(1)})` };
}
