import type { AccountPolicy } from '../../lib/account-policy.ts';

/** Lets in everybody who writes in private, and in groups everybody who speaks to the bot. */
export const OPEN: AccountPolicy = {
  dmPolicy: 'open',
  allowFrom: [],
  groupPolicy: 'open',
  groupAllowFrom: [],
  requireMention: true,
  groupHistory: 50,
  groups: new Map(),
};
