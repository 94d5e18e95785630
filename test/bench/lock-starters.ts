import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './target.ts';

/** What a start came to, `ms` milliseconds after the moment at which all began. */
export type Answer = { starter: Starter; isWon: boolean; ms: number };

/** A process that starts again and again as far as the lock: loading Node each time would spread the starts over seconds. */
export type Starter = {
  /** `startAt` is in milliseconds since 1970. Rejects on any answer but a win and a refusal. */
  acquire(order: { file: string; startAt: number; waitMs: number }): Promise<Answer>;
  release(): void;
  end(): void;
};

/** Starts so many of them. They end with the bench. */
export function startStarters(count: number): Starter[] {
  const starters = Array.from({ length: count }, startStarter);
  process.once('exit', () => {
    for (const starter of starters) starter.end();
  });
  return starters;
}

const REFUSED = '75';

function startStarter(): Starter {
  const program = join(root, '.tmp/test/fixtures/lock-starter.program.js');
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const starter: Starter = {
    acquire({ file, startAt, waitMs }) {
      child.stdin.write(`acquire ${file} ${startAt} ${waitMs}\n`);
      return new Promise((resolve, reject) => {
        lines.once('line', (line) => {
          if (line !== 'won' && line !== REFUSED) reject(new Error(`A start ended with ${line}`));
          else resolve({ starter, isWon: line === 'won', ms: Date.now() - startAt });
        });
      });
    },
    release: () => void child.stdin.write('release\n'),
    end: () => void child.kill('SIGKILL'),
  };
  return starter;
}
