import type { AccountStatus, ChannelState } from './plugin.ts';

/** The status of one account, reported whenever its state or its error text changes. */
export type AccountState = {
  current(): AccountStatus;
  /** A long poll was answered: the transport works (LIVE-1). */
  markExchange(): void;
  change(state: ChannelState, lastError?: string): void;
};

/** Creates the status of an account that has not been started. */
export function createAccountState(accountId: string, report: (status: AccountStatus) => void): AccountState {
  let status: AccountStatus = { accountId, state: 'idle', since: Date.now() };
  return {
    current: () => ({ ...status }),
    markExchange() {
      status = { ...status, lastExchangeAt: Date.now() };
    },
    change(state, lastError) {
      if (state === status.state && lastError === status.lastError) return;
      const { lastError: _previous, ...rest } = status;
      const since = state === status.state ? status.since : Date.now();
      status = { ...rest, state, since, ...(lastError === undefined ? {} : { lastError }) };
      report({ ...status });
    },
  };
}
