import { deletedAnswer, type PairingView, pairingApprovedAnswer, pairingsAnswer } from '../../lib/answers.ts';
import { pairingApproveRequest, pairingPath } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Store } from '../store/index.ts';
import type { Pairing } from '../store/pairings.ts';
import { defineRoute, type Route } from './route.ts';

/** Who may write to the channels in private: list, approve by code, revoke. */
export function pairingRoutes(store: Store): Route[] {
  const guesses = createGuesses();
  return [
    defineRoute({
      method: 'GET',
      path: '/api/pairings',
      scope: 'operator.read',
      tag: 'Pairing',
      summary: 'Lists who may write to the channels in private, and who asks to',
      answers: { 200: pairingsAnswer },
      handle: async () => ({ items: (await store.pairings.list()).map(describePairing) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/pairings/approve',
      scope: 'operator.admin',
      tag: 'Pairing',
      summary: 'Lets a peer in by its code',
      body: pairingApproveRequest,
      example: { code: 'ABCD2345' },
      answers: { 200: pairingApprovedAnswer },
      errors: ['NOT_FOUND', 'RATE_LIMITED'],
      async handle({ body }) {
        const forgive = guesses.count();
        const pairing = await store.pairings.approve(body.code.trim().toUpperCase());
        if (pairing === undefined)
          throw new GatewayError(
            'NOT_FOUND',
            'No open pairing request has this code; it may have expired after an hour.',
          );
        forgive();
        return { status: 'ok' as const, pairing: describePairing(pairing) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/pairings/:channel/:account/:peer',
      scope: 'operator.admin',
      tag: 'Pairing',
      summary: 'Lets a peer in no longer',
      params: pairingPath,
      answers: { 200: deletedAnswer },
      errors: ['NOT_FOUND'],
      async handle({ params }) {
        const { channel, account, peer } = params;
        if (!(await store.pairings.revoke(channel, account, peer)))
          throw new GatewayError('NOT_FOUND', `${peer} is not paired with ${channel}/${account}.`);
        return { status: 'ok' as const, deleted: true as const };
      },
    }),
  ];
}

const MAX_GUESSES = 10;
const GUESS_WINDOW_MS = 60_000;

/** Wrong codes of the last minute, so that none is found by trying. */
function createGuesses(): { count(): () => void } {
  let counted: { at: number }[] = [];
  return {
    /** Counted before the code is looked up, or many at once would all pass. Returns what takes it back. */
    count() {
      const now = Date.now();
      counted = counted.filter(({ at }) => now - at < GUESS_WINDOW_MS);
      const [oldest] = counted;
      if (oldest !== undefined && counted.length >= MAX_GUESSES) {
        const seconds = Math.ceil((oldest.at + GUESS_WINDOW_MS - now) / 1_000);
        throw new GatewayError('RATE_LIMITED', `Too many wrong pairing codes. Try again in ${seconds} s.`, {
          headers: { 'Retry-After': String(seconds) },
        });
      }
      const guess = { at: now };
      counted.push(guess);
      return () => {
        counted = counted.filter((item) => item !== guess);
      };
    },
  };
}

/** The code is shown to the owner: approving by hand is comparing it with what the peer says. */
function describePairing({
  channel,
  accountId,
  peerId,
  name,
  state,
  code,
  createdAt,
  expiresAt,
}: Pairing): PairingView {
  return {
    channel,
    account_id: accountId,
    peer_id: peerId,
    state,
    created_at: new Date(createdAt).toISOString(),
    ...(name === undefined ? {} : { name }),
    ...(code === undefined ? {} : { code }),
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
  };
}
