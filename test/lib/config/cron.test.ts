import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../lib/config/schema.ts';

describe('the settings of jobs and of the heartbeat', () => {
  it('have defaults that need no setting', () => {
    const { cron, gateway } = v.parse(configSchema, {});
    expect(cron).toEqual({ enabled: true, maxConcurrentJobs: 5, defaultTimezone: 'UTC', historyRetentionDays: 7 });
    expect(gateway.heartbeat).toEqual({
      enabled: true,
      intervalMs: 1_800_000,
      ackMaxChars: 300,
      isolatedSession: false,
    });
  });

  it.each([
    [{ cron: { defaultTimezone: 'Mars/Base' } }, 'IANA'],
    [{ cron: { defaultTimezone: '+02:00' } }, 'IANA'],
    [{ cron: { maxConcurrentJobs: 0 } }, '>=1'],
    [{ gateway: { heartbeat: { target: 'telegram' } } }, 'go together'],
    [{ gateway: { heartbeat: { intervalMs: 5 } } }, '>=60000'],
    [{ gateway: { heartbeat: { activeHours: { start: '25:00', end: '09:00' } } } }, '08:30'],
  ])('refuse %j', (input, words) => {
    const result = v.safeParse(configSchema, input);
    expect(result.success ? '' : result.issues.map(({ message }) => message).join()).toContain(words);
  });
});
