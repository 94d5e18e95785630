import { type Evidence, judge, type Problem, REPEAT, SET_ASIDE } from './invariants.ts';

/** A table of one line: what was asked and done, and how often each rule was broken (of a chat only the first time counts). */
export function describeEvidence(evidence: Evidence): string {
  const problems = judge(evidence);
  const count = (kind: Problem['kind']): number => problems.filter((problem) => problem.kind === kind).length;
  const texts = [...evidence.answers.values()].flat().map(({ text }) => text);
  const unread = problems.reduce((sum, problem) => sum + (problem.unread ?? 0), 0);
  const columns: [string, number][] = [
    ['asked', evidence.asked.length],
    ['answered', evidence.asked.length - unread],
    ['of these set aside', texts.filter((text) => SET_ASIDE.test(text) && !REPEAT.test(text)).length],
    ['kills', evidence.kills.length],
    // Were there few, the kills would have met an idle gateway.
    ['sends before the last kill', countSends(evidence)],
    ['lost', count('lost')],
    ['doubled', count('doubled')],
    ['marked repeats', texts.filter((text) => REPEAT.test(text)).length],
    ['marked without need', count('marked without need')],
    ['out of order', count('out of order')],
    ['unasked', count('unasked')],
    ['poll overlaps', count('polls overlap')],
    ['secrets in logs', count('secret logged')],
  ];
  const rows = [columns.map(([name]) => name), columns.map(() => '---'), columns.map(([, value]) => String(value))];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function countSends({ calls, kills }: Evidence): number {
  const lastKill = kills.at(-1) ?? Number.POSITIVE_INFINITY;
  return calls.filter(({ method, processed, at }) => method === 'sendMessage' && processed && at < lastKill).length;
}
