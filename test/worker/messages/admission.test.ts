import { describe, expect, it } from 'vitest';
import type { AccountPolicy } from '../../../lib/account-policy.ts';
import { type Admission, type Candidate, judge } from '../../../worker/messages/admission.ts';
import { OPEN } from '../policies.ts';
import { openTemporaryStore } from '../temporary-store.ts';

type Verdict = Admission['verdict'];

const inPrivate: Candidate = {
  channel: 'test',
  accountId: 'default',
  peer: { kind: 'direct', id: '7' },
  senderId: '7',
  senderName: 'Ann',
  isAddressed: true,
};
const inGroup: Candidate = { ...inPrivate, peer: { kind: 'group', id: '-5' } };
const ASKING = { ...OPEN, dmPolicy: 'pairing', groupPolicy: 'allowlist' } as const;

describe('a private message', () => {
  it.each<[AccountPolicy['dmPolicy'], readonly string[], Verdict]>([
    ['disabled', [], 'drop'],
    ['disabled', ['7'], 'drop'],
    ['disabled', ['*'], 'drop'],
    ['open', [], 'allow'],
    ['allowlist', [], 'drop'],
    // Neither a part of the id (CVE-2026-28446) nor a name that anybody may take (CVE-2026-28480).
    ['allowlist', ['70', '07', '', 'Ann', '@Ann'], 'drop'],
    ['allowlist', ['7'], 'allow'],
    ['allowlist', ['*'], 'allow'],
    ['pairing', [], 'pair'],
    ['pairing', ['Ann'], 'pair'],
    ['pairing', ['7'], 'allow'],
    ['pairing', ['*'], 'allow'],
  ])('under the policy %s with %j listed: %s', async (dmPolicy, allowFrom, verdict) => {
    const { store } = openTemporaryStore();
    expect((await judge(inPrivate, { ...OPEN, dmPolicy, allowFrom }, store.pairings)).verdict).toBe(verdict);
    expect(await store.pairings.list()).toHaveLength(verdict === 'pair' ? 1 : 0);
  });

  it.each([
    ['pairing', 'allow'],
    ['allowlist', 'allow'],
    ['disabled', 'drop'],
  ] as const)('of a paired sender under the policy %s: %s', async (dmPolicy, verdict) => {
    const pairings = await pair();
    expect((await judge(inPrivate, { ...OPEN, dmPolicy }, pairings)).verdict).toBe(verdict);
  });

  it('is let in whatever holds for groups', async () => {
    const { store } = openTemporaryStore();
    const policy = { ...OPEN, groupPolicy: 'disabled', groups: new Map([['7', { enabled: false }]]) } as const;
    expect((await judge(inPrivate, policy, store.pairings)).verdict).toBe('allow');
  });

  it('without a sender is let in by nothing (CVE-2026-28446)', async () => {
    const { store } = openTemporaryStore();
    const policy = { ...OPEN, allowFrom: ['', '*'], groupAllowFrom: ['', '*'] };
    expect((await judge({ ...inPrivate, senderId: '' }, policy, store.pairings)).verdict).toBe('drop');
    expect((await judge({ ...inGroup, senderId: '' }, policy, store.pairings)).verdict).toBe('drop');
  });

  it('of a stranger makes a code that can be read out, the same until it expires', async () => {
    const { store } = openTemporaryStore();
    const first = await judge(inPrivate, ASKING, store.pairings);
    expect(first).toMatchObject({ verdict: 'pair', code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{8}$/), isNew: true });
    expect(await judge(inPrivate, ASKING, store.pairings)).toEqual({ ...first, isNew: false });
    const other = await judge({ ...inPrivate, senderId: '8' }, ASKING, store.pairings);
    expect(other).toMatchObject({ verdict: 'pair' });
    expect(other).not.toMatchObject({ code: (first as { code: string }).code });
    const [pairing] = await store.pairings.list();
    expect((pairing?.expiresAt ?? 0) - (pairing?.createdAt ?? 0)).toBeGreaterThan(59 * 60_000);
  });

  it('of a fourth stranger at a time makes none', async () => {
    const { store } = openTemporaryStore();
    for (const senderId of ['1', '2', '3']) await judge({ ...inPrivate, senderId }, ASKING, store.pairings);
    expect(await judge(inPrivate, ASKING, store.pairings)).toEqual({ verdict: 'drop', reason: 'crowded' });
    expect((await judge({ ...inPrivate, senderId: '3' }, ASKING, store.pairings)).verdict).toBe('pair');
    expect((await judge({ ...inPrivate, accountId: 'other' }, ASKING, store.pairings)).verdict).toBe('pair');
  });
});

describe('a group message that speaks to the bot', () => {
  it.each<[string, Partial<AccountPolicy>, Verdict]>([
    ['a group nobody listed', { groupPolicy: 'open' }, 'allow'],
    ['a disabled account', { groupPolicy: 'disabled', groupAllowFrom: ['7'], groups: rules({ '-5': {} }) }, 'drop'],
    ['an account with lists, none of them', {}, 'drop'],
    ['an account that lists the sender for groups', { groupAllowFrom: ['7'] }, 'allow'],
    ['an account that lists everybody for groups', { groupAllowFrom: ['*'] }, 'allow'],
    ['an account that lists the sender', { allowFrom: ['7'] }, 'allow'],
    ['an account that lists everybody in private', { allowFrom: ['*'] }, 'drop'],
    ['an account that lists the name of the sender', { groupAllowFrom: ['Ann'], allowFrom: ['Ann'] }, 'drop'],
    ['an account that lists similar ids', { groupAllowFrom: ['70', '77'], allowFrom: ['-7'] }, 'drop'],
    ['an account open to all in private', { dmPolicy: 'open' }, 'drop'],
    ['a listed group', { groups: rules({ '-5': {} }) }, 'allow'],
    ['another group than the listed one', { groups: rules({ '-6': {} }) }, 'drop'],
    ['any group, listed by "*"', { groups: rules({ '*': {} }) }, 'drop'],
    ['a listed group for the sender', { groups: rules({ '-5': { allowFrom: ['7'] } }) }, 'allow'],
    ['a listed group for somebody else', { groups: rules({ '-5': { allowFrom: ['8'] } }) }, 'drop'],
    [
      'a listed group for somebody else, in every group',
      { groupPolicy: 'open', groups: rules({ '-5': { allowFrom: ['8'] } }) },
      'drop',
    ],
    [
      'a group for somebody else, sender listed',
      { groupAllowFrom: ['7'], groups: rules({ '-5': { allowFrom: ['8'] } }) },
      'allow',
    ],
    ['any group for the sender', { groups: rules({ '*': { allowFrom: ['7'] } }) }, 'allow'],
    ['a group switched off', { groupAllowFrom: ['7'], groups: rules({ '-5': { enabled: false } }) }, 'drop'],
    ['a group switched off, all open', { groupPolicy: 'open', groups: rules({ '-5': { enabled: false } }) }, 'drop'],
    ['a group switched off by "*"', { groupPolicy: 'open', groups: rules({ '*': { enabled: false } }) }, 'drop'],
    ['the only group left on', { groups: rules({ '*': { enabled: false }, '-5': {} }) }, 'allow'],
  ])('in %s', async (_what, differing, verdict) => {
    const { store } = openTemporaryStore();
    expect((await judge(inGroup, { ...ASKING, ...differing }, store.pairings)).verdict).toBe(verdict);
    expect(await store.pairings.list()).toEqual([]);
  });

  it('is let in when its sender is paired, and dropped in a group for others only when not', async () => {
    const pairings = await pair();
    expect((await judge(inGroup, ASKING, pairings)).verdict).toBe('allow');
    expect((await judge({ ...inGroup, senderId: '8' }, ASKING, pairings)).verdict).toBe('drop');
    expect((await judge({ ...inGroup, accountId: 'other' }, ASKING, pairings)).verdict).toBe('drop');
  });
});

describe('a group message that speaks to others', () => {
  it.each<[string, Partial<AccountPolicy>, Partial<Candidate>, Verdict]>([
    ['is context', {}, {}, 'context'],
    ['is a question where no mention is needed', { requireMention: false }, {}, 'allow'],
    ['is a question in a group that needs none', { groups: rules({ '-5': { requireMention: false } }) }, {}, 'allow'],
    ['is a question where "*" needs none', { groups: rules({ '*': { requireMention: false } }) }, {}, 'allow'],
    [
      'is context in a group that needs one',
      { requireMention: false, groups: rules({ '-5': { requireMention: true } }) },
      {},
      'context',
    ],
    [
      'is context in a group with a rule of its own',
      { groups: rules({ '*': { requireMention: false }, '-5': {} }) },
      {},
      'context',
    ],
    ['is context from a bot even so', { requireMention: false }, { isFromBot: true }, 'context'],
    ['is a question from a bot that names ours', {}, { isFromBot: true, isAddressed: true }, 'allow'],
    ['is dropped when its sender is not heard', { groupPolicy: 'allowlist' }, {}, 'drop'],
  ])('%s', async (_what, differing, more, verdict) => {
    const { store } = openTemporaryStore();
    const message = { ...inGroup, isAddressed: false, ...more };
    expect((await judge(message, { ...OPEN, ...differing }, store.pairings)).verdict).toBe(verdict);
  });
});

function rules(groups: Record<string, object>): AccountPolicy['groups'] {
  return new Map(Object.entries(groups));
}

/** The pairings of a store in which the sender is approved. */
async function pair() {
  const { store } = openTemporaryStore();
  const first = await judge(inPrivate, ASKING, store.pairings);
  if (first.verdict !== 'pair') throw new Error('not asked to pair');
  await store.pairings.approve(first.code);
  return store.pairings;
}
