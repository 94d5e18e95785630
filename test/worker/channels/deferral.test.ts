import { describe, expect, it } from 'vitest';
import { type DeferSettings, planDeferral } from '../../../worker/channels/deferral.ts';
import { createScriptedChannel } from '../scripted-channel.ts';

describe('which channels wait for the HTTP port', () => {
  const channels = [
    createScriptedChannel({ id: 'a', deferConnectUntilAfterListen: true }),
    createScriptedChannel({ id: 'b' }),
    createScriptedChannel({ id: 'c', deferConnectUntilAfterListen: true }),
  ];

  it.each<[DeferSettings, string[], string]>([
    [{ mode: 'auto', ids: ['b'], skipIds: [] }, ['a', 'c'], 'meta'],
    [{ mode: 'auto', ids: [], skipIds: [' c '] }, ['a'], 'meta'],
    [{ mode: 'off', ids: ['a'], skipIds: [] }, [], 'off'],
    [{ mode: 'explicit', ids: ['b'], skipIds: [] }, ['b'], 'explicit'],
    [{ mode: 'explicit', ids: [' b ', 'b', '', 'c'], skipIds: ['c'] }, ['b'], 'explicit'],
    [{ mode: 'explicit', ids: ['unknown'], skipIds: [] }, ['unknown'], 'explicit'],
    [{ mode: 'explicit', ids: [], skipIds: [] }, [], 'explicit'],
  ])('with %j: %j', (settings, ids, source) => {
    expect(planDeferral(channels, settings)).toEqual({ mode: settings.mode, source, ids });
  });
});
