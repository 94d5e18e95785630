import { describe, expect, it } from 'vitest';
import { createOutput, type Output } from '../../bin/output.ts';
import { openProgress } from '../../bin/progress.ts';

/** An output whose lines are kept. */
async function collect(): Promise<{ output: Output; lines: string[] }> {
  const lines: string[] = [];
  const output = { ...(await createOutput('en')), isTerminal: false, line: (text = '') => void lines.push(text) };
  return { output, lines };
}

describe('progress off a terminal', () => {
  it('is one plain line per step, however often it is said', async () => {
    const { output, lines } = await collect();
    const progress = openProgress(output, false);
    for (const text of ['one', 'one', 'two', 'two', 'one']) progress.step(text);
    progress.end(true);
    expect(lines).toEqual(['one', 'two', 'one']);
  });

  it('is nothing when a program reads the output', async () => {
    const { output, lines } = await collect();
    const progress = openProgress(output, true);
    progress.step('one');
    progress.end(false);
    expect(lines).toEqual([]);
  });
});
