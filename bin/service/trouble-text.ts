import type { Output } from '../output.ts';
import type { ShownFinding } from './findings.ts';

/** Prints each with what to do about it. */
export function printServiceTroubles(findings: readonly ShownFinding[], output: Output): void {
  for (const { severity, message, fix } of findings) {
    output.headline(SIGNS[severity], message);
    output.headline('💡', fix);
  }
}

const SIGNS: Readonly<Record<ShownFinding['severity'], string>> = { info: 'ℹ️ ', warn: '⚠️ ', error: '❌' };
