/** `pairing`: whoever the owner approved by code; `allowlist`: listed and paired people; `open`: anyone; `disabled`: nobody. */
export type DmPolicy = 'pairing' | 'allowlist' | 'open' | 'disabled';

/** `allowlist`: listed and paired people, and everybody in listed groups. */
export type GroupPolicy = 'open' | 'allowlist' | 'disabled';

/** What holds in one group. With `allowFrom` only these people are heard in it, and those that are heard in every group. */
export type GroupRule = {
  enabled?: boolean | undefined;
  requireMention?: boolean | undefined;
  allowFrom?: readonly string[];
};

/** Who may write to an account of a channel, in private and in groups, by immutable ids (INJ-4). */
export type AccountPolicy = {
  dmPolicy: DmPolicy;
  /** Heard in private and in groups; `*` is anyone, in private only. */
  allowFrom: readonly string[];
  groupPolicy: GroupPolicy;
  /** Heard in groups; `*` is anyone. */
  groupAllowFrom: readonly string[];
  /** In groups only what speaks to the bot is a question. */
  requireMention: boolean;
  /** How many of the newest messages to others are kept for the next question in a group. */
  groupHistory: number;
  /** By chat id; `*` holds for chats without a rule of their own. */
  groups: ReadonlyMap<string, GroupRule>;
};
