import type { Output } from './output.ts';
import type { Probe } from './probe.ts';

/** What is wrong on the port, for a person; undefined when the gateway answered or was not asked. `expected` is the instance that was meant. */
export function describeProbe(
  probe: Probe,
  { port, expected }: { port: number; expected: string },
  output: Output,
): string | undefined {
  switch (probe.t) {
    case 'skipped':
    case 'answered':
      return undefined;
    case 'other-instance':
      return output.text('otherInstance', { port, reached: toOneLine(probe.instanceId), expected });
    case 'stranger':
      return output.text('stranger', { port });
    case 'silent':
      return output.text('silent', { port, reason: toOneLine(probe.reason) });
    default:
      return probe satisfies never;
  }
}

/** A text of another program, so that it cannot steer the terminal. */
export function toOneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
