import { resolvePaths } from '../../lib/paths.ts';
import { type Call, callOrFail, findEndpoint } from '../client.ts';
import type { CommandContext } from '../context.ts';

type Pairing = {
  channel: string;
  account_id: string;
  peer_id: string;
  name?: string;
  code?: string;
  state: string;
  expires_at?: string;
};

/** `xopc gateway pairing list`. */
export async function listPairings(context: CommandContext, options: Record<string, unknown>): Promise<void> {
  const answer = await call(context, { method: 'GET', path: '/api/pairings' });
  const items = answer['items'] as Pairing[];
  if (options['json'] === true) return context.output.json({ ok: true, items });
  if (items.length === 0) return context.output.line(context.output.text('noPairings'));
  for (const item of items) {
    context.output.line(
      context.output.text(item.state === 'pending' ? 'pairingPending' : 'pairingApproved', describe(item)),
    );
  }
}

/** `xopc gateway pairing approve CODE`. */
export async function approvePairing(
  context: CommandContext,
  code: string,
  options: Record<string, unknown>,
): Promise<void> {
  const answer = await call(context, { method: 'POST', path: '/api/pairings/approve', body: { code } });
  const pairing = answer['pairing'] as Pairing;
  if (options['json'] === true) return context.output.json({ ok: true, pairing });
  context.output.headline('✅', context.output.text('approved', describe(pairing)));
}

/** `xopc gateway pairing revoke CHANNEL PEER`. */
export async function revokePairing(
  context: CommandContext,
  { channel, peer }: { channel: string; peer: string },
  options: Record<string, unknown>,
): Promise<void> {
  const account = String(options['account']);
  const path = `/api/pairings/${[channel, account, peer].map(encodeURIComponent).join('/')}`;
  await call(context, { method: 'DELETE', path });
  if (options['json'] === true) return context.output.json({ ok: true });
  context.output.headline('✅', context.output.text('revoked', { peer, channel, account }));
}

async function call({ env, output, configFlag }: CommandContext, request: Call): Promise<Record<string, unknown>> {
  return callOrFail(await findEndpoint(resolvePaths(env, configFlag), env), request, output);
}

function describe(pairing: Pairing): Record<string, string> {
  const { channel, account_id: account, peer_id: peer, name, code = '', expires_at: until = '' } = pairing;
  return { channel, account, peer, name: name === undefined ? '' : ` (${name})`, code, until };
}
