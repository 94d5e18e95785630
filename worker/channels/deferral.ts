import type { ChannelPlugin } from './plugin.ts';

/** What the configuration says about the channels that wait for the HTTP port. */
export type DeferSettings = { mode: 'auto' | 'off' | 'explicit'; ids: readonly string[]; skipIds: readonly string[] };

/** Ids that wait for the HTTP port, and why these (manual: structured log of the channel start). */
export type Deferral = {
  mode: DeferSettings['mode'];
  source: 'meta' | 'explicit' | 'off';
  ids: readonly string[];
};

/** Which channels wait for the HTTP port (manual "channel start order", upstream-facts 4.3). */
export function planDeferral(
  channels: readonly { meta: ChannelPlugin['meta'] }[],
  { mode, ids, skipIds }: DeferSettings,
): Deferral {
  const skipped = new Set(trim(skipIds));
  const keep = (values: readonly string[]): string[] => values.filter((value) => !skipped.has(value));
  switch (mode) {
    case 'off':
      return { mode, source: 'off', ids: [] };
    case 'explicit':
      return { mode, source: 'explicit', ids: keep(trim(ids)) };
    case 'auto':
      return {
        mode,
        source: 'meta',
        ids: keep(channels.filter(({ meta }) => meta.deferConnectUntilAfterListen).map(({ meta }) => meta.id)),
      };
  }
}

function trim(values: readonly string[]): string[] {
  return [...new Set(values.map((value) => value.trim()).filter((value) => value !== ''))];
}
