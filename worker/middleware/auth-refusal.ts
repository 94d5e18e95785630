import { GatewayError } from '../../lib/errors.ts';
import { fingerprint } from '../../lib/token.ts';
import type { Credential } from '../identify.ts';

const headers = { 'WWW-Authenticate': 'Bearer realm="xopc"' };

/** The refusal of a request that presents nothing. */
export function explainMissing(mode: 'token' | 'password'): GatewayError {
  const text = `This needs the gateway's ${mode}: send "Authorization: Bearer <${mode}>" or "X-Api-Key".`;
  return new GatewayError('UNAUTHORIZED', text, { headers });
}

/** Shorter ones could be guessed from their fingerprint. */
const MIN_FINGERPRINTED = 22;

/** The refusal of a wrong credential: which source counts, and by what to tell the two apart, without a character of either (TOK-4). */
export function explainWrong(
  { mode, secret, source }: Exclude<Credential, { mode: 'none' }>,
  presented: string,
): GatewayError {
  const isNamed = mode === 'token' && secret.length >= MIN_FINGERPRINTED;
  const expected = isNamed ? ` (${fingerprint(secret)})` : '';
  const seen = `The presented ${mode} (${fingerprint(presented)}) is not the gateway's${expected}, which comes from ${source}.`;
  const hint = mode === 'token' ? 'See "xopc gateway token".' : 'Check gateway.auth.password.';
  return new GatewayError('UNAUTHORIZED', `${seen} ${hint}`, { headers });
}
