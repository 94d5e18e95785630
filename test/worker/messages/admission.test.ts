import { describe, expect, it } from 'vitest';
import { type AccountPolicy, admitSender } from '../../../worker/messages/admission.ts';
import { openTemporaryStore } from '../temporary-store.ts';

const sender = { channel: 'test', accountId: 'default', senderId: '7', senderName: 'Ann' };

describe('a private message', () => {
  it.each<[AccountPolicy['dmPolicy'], readonly string[], 'allow' | 'drop' | 'pair']>([
    ['disabled', [], 'drop'],
    ['disabled', ['7'], 'drop'],
    ['disabled', ['*'], 'drop'],
    ['open', [], 'allow'],
    ['allowlist', [], 'drop'],
    ['allowlist', ['70', 'Ann'], 'drop'],
    ['allowlist', ['7'], 'allow'],
    ['allowlist', ['*'], 'allow'],
    ['pairing', [], 'pair'],
    ['pairing', ['Ann'], 'pair'],
    ['pairing', ['7'], 'allow'],
    ['pairing', ['*'], 'allow'],
  ])('under the policy %s with %j listed: %s', async (dmPolicy, allowFrom, verdict) => {
    const { store } = openTemporaryStore();
    expect((await admitSender(sender, { dmPolicy, allowFrom }, store.pairings)).verdict).toBe(verdict);
    expect(await store.pairings.list()).toHaveLength(verdict === 'pair' ? 1 : 0);
  });

  it.each([
    ['pairing', 'allow'],
    ['allowlist', 'allow'],
    ['disabled', 'drop'],
  ] as const)('of a paired sender under the policy %s: %s', async (dmPolicy, verdict) => {
    const { store } = openTemporaryStore();
    const first = await admitSender(sender, { dmPolicy: 'pairing', allowFrom: [] }, store.pairings);
    if (first.verdict !== 'pair') throw new Error('not asked to pair');
    await store.pairings.approve(first.code);
    expect((await admitSender(sender, { dmPolicy, allowFrom: [] }, store.pairings)).verdict).toBe(verdict);
  });

  it('of a stranger makes a code that can be read out, the same until it expires', async () => {
    const { store } = openTemporaryStore();
    const policy = { dmPolicy: 'pairing', allowFrom: [] } as const;
    const first = await admitSender(sender, policy, store.pairings);
    expect(first).toMatchObject({ verdict: 'pair', code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{8}$/), isNew: true });
    expect(await admitSender(sender, policy, store.pairings)).toEqual({ ...first, isNew: false });
    const other = await admitSender({ ...sender, senderId: '8' }, policy, store.pairings);
    expect(other).not.toMatchObject({ code: (first as { code: string }).code });
  });
});
