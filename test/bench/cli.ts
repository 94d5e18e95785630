import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bench, median, type Row, ratioRow } from './result.ts';
import { root, startGateway } from './target.ts';

const ROUNDS = 20;
const QUICK_ROUNDS = 3;
const XOPC = join(root, 'dist/bin/xopc.js');

/** Cold starts of the command line, against a Node that does nothing, in turns so that all see the same machine. */
export const cliBench: Bench = {
  name: 'cli',
  async run({ isQuick }) {
    const gateway = await startGateway();
    const emptyHome = mkdtempSync(join(tmpdir(), 'xopc-bench-'));
    const times: Record<'node' | 'stopped' | 'running', number[]> = { node: [], stopped: [], running: [] };
    try {
      for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round += 1) {
        times.node.push(timeOf(['-e', '0'], { home: emptyHome, exitCode: 0 }));
        times.stopped.push(timeOf([XOPC, 'gateway', 'status', '--no-probe'], { home: emptyHome, exitCode: 3 }));
        times.running.push(timeOf([XOPC, 'gateway', 'status'], { home: gateway.home, exitCode: 0 }));
      }
    } finally {
      await gateway.stop();
      rmSync(emptyHome, { recursive: true, force: true });
    }
    return [
      coldStartRow('`gateway status --no-probe`, nothing runs (`node -e 0`)', times.stopped, times.node),
      coldStartRow('`gateway status` of a running gateway (`node -e 0`)', times.running, times.node),
    ];
  },
};

/** From spawn to exit, in milliseconds. */
function timeOf(args: readonly string[], { home, exitCode }: { home: string; exitCode: number }): number {
  const env = { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home };
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'ignore' });
  const ms = performance.now() - startedAt;
  if (status !== exitCode) throw new Error(`${args.join(' ')} ended with ${status} instead of ${exitCode}`);
  return ms;
}

function coldStartRow(what: string, ours: readonly number[], node: readonly number[]): Row {
  const [mine, theirs] = [median(ours), median(node)];
  return ratioRow({
    what: `Cold start of ${what}`,
    ours: `${mine.toFixed(0)} ms`,
    baseline: `${theirs.toFixed(0)} ms`,
    ratio: mine / theirs,
    goal: { atMost: 2.5 },
  });
}
