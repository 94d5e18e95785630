import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { apiBench } from './api.ts';
import { backlogBench } from './backlog.ts';
import { cliBench } from './cli.ts';
import { hangBench } from './hang.ts';
import { healthBench } from './health.ts';
import { listsBench } from './lists.ts';
import { lockBench } from './lock.ts';
import { memoryBench } from './memory.ts';
import { messageBench } from './message.ts';
import { PM2_VERSION } from './pm2.ts';
import { restartBench } from './restart.ts';
import type { Bench, Row } from './result.ts';
import { startBench } from './start.ts';
import { turnBench } from './turn.ts';

const BENCHES: readonly Bench[] = [
  startBench,
  cliBench,
  healthBench,
  apiBench,
  turnBench,
  messageBench,
  listsBench,
  backlogBench,
  memoryBench,
  restartBench,
  hangBench,
  lockBench,
];

const isQuick = process.argv.includes('--quick');
const names = process.argv.slice(2).filter((argument) => argument !== '--quick');
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no bench ${unknown.join(', ')}. Choose from: ${BENCHES.map(({ name }) => name).join(', ')}.\n`,
  );
  process.exit(2);
}
// What the benches started is ended when the process exits; a signal alone would skip that.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const chosen = BENCHES.filter(({ name }) => names.length === 0 || names.includes(name));
const rows: Row[] = [];
try {
  for (const bench of chosen) {
    process.stderr.write(`${bench.name} …\n`);
    rows.push(...(await bench.run({ isQuick })));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
const table = formatTable(rows);
process.stdout.write(`${table}\n`);
// Only a whole run replaces the page: its rows must come from one machine in one hour.
if (names.length === 0 && !isQuick) writeFileSync('docs/benchmarks.md', formatPage(table));

function formatTable(list: readonly Row[]): string {
  const cells = list.map((row) => [
    row.what,
    row.ours,
    row.baseline,
    row.result,
    row.goal,
    row.isMet ? 'yes' : '**no**',
  ]);
  const head = ['What (compared with)', 'Gateway', 'Baseline', 'Result', 'Goal', 'Met'];
  const lines = [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`);
  return lines.join('\n');
}

function formatPage(content: string): string {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${model}, ${memory} of memory, Linux, Node ${process.versions.node}.
Client, gateway and model emulator share the machine (load average at the end: ${load}), so read the ratios; each compares with a baseline measured in the same run.

${content}

In the rows on restarts, *own port* is a bare Koa whose small parent kills it and starts it again, and pm2 ${PM2_VERSION} runs the same Koa with the graceful stop and \`wait_ready\` of its manual (\`pm2 reload\`; cluster: two processes, so that after a kill the other one serves on).
The load is 50 clients that think for 50 ms, every second one on a kept connection, and a prober with 100 new connections per second. A refused connection or a status other than 200 is a failed request.
The twenty kills are dealt to five gateways: more than five crashes within ten minutes would mean safe mode, by design.
`;
}
