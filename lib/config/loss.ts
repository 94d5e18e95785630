import { listLeaves } from './diff.ts';
import { isSecretPath } from './secrets.ts';

/** Settings that may go at once without a question, whatever their share. */
const FREE_COUNT = 4;
const FREE_SHARE = 0.3;

/** Why a new configuration would destroy too much of the old one to be written unasked: credentials, or more than 30 % of it (CFG-3). */
export function explainLoss(before: Record<string, unknown>, after: Record<string, unknown>): string | undefined {
  const kept = new Set(listLeaves(after).map(({ path }) => JSON.stringify(path)));
  const old = listLeaves(before);
  const lost = old.filter(({ path }) => !kept.has(JSON.stringify(path)));
  const secrets = lost
    .filter(({ path, value }) => isSecretPath(path) && value !== '')
    .map(({ path }) => path.join('.'));
  if (secrets.length > 0) return `removes the credential ${secrets.join(', ')}`;
  if (lost.length > FREE_COUNT && lost.length > old.length * FREE_SHARE)
    return `removes ${lost.length} of ${old.length} settings`;
  return undefined;
}
