import type { ChannelView } from '../lib/ipc.ts';
import type { ChannelSummary } from './channels/registry.ts';

/** How every account is, for the heartbeat; a channel that is down as a whole is shown as its account `*`. */
export function listAccounts(channels: readonly ChannelSummary[]): ChannelView[] {
  return channels.flatMap(({ id, state, since, accounts }) => {
    if (accounts.length === 0) return state === 'down' ? [{ channel: id, accountId: '*', state, since }] : [];
    return accounts.map((account) => ({
      channel: id,
      accountId: account.accountId,
      state: account.state,
      since: account.since,
    }));
  });
}
