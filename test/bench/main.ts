import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { healthBench } from './health.ts';
import { memoryBench } from './memory.ts';
import { restartBench } from './restart.ts';
import type { Bench, Row } from './result.ts';
import { startBench } from './start.ts';
import { turnBench } from './turn.ts';

const BENCHES: readonly Bench[] = [startBench, healthBench, turnBench, memoryBench, restartBench];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no bench ${unknown.join(', ')}. Choose from: ${BENCHES.map(({ name }) => name).join(', ')}.\n`,
  );
  process.exit(2);
}
const chosen = BENCHES.filter(({ name }) => names.length === 0 || names.includes(name));
const rows: Row[] = [];
for (const bench of chosen) {
  process.stderr.write(`${bench.name} …\n`);
  rows.push(...(await bench.run()));
}
const table = formatTable(rows);
process.stdout.write(`${table}\n`);
// Only a whole run replaces the page: its rows must come from one machine in one hour.
if (names.length === 0) writeFileSync('docs/benchmarks.md', formatPage(table));

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
`;
}
