import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHome, diagnose, find, write } from './diagnosis.ts';

describe('what went wrong before', () => {
  const exit = (at: string, isCrash: boolean) => ({
    ...{ generation: 1, pid: 5, at, uptimeMs: 1_000, code: 1, signal: null, isCrash },
    ...{ reason: 'exit code 1', firstErrorLine: 'Error: boom', crashLog: '/x/crash-1.log' },
  });

  it('is the last start, with its own hint', async () => {
    const { home, paths } = createHome();
    const fatal = { at: new Date().toISOString(), exitCode: 78, message: 'weak token', hint: 'Set a longer one.' };
    write(paths.fatalFile, JSON.stringify(fatal));
    expect(find(await diagnose(home), 'last-start-failed')).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('weak token'),
      fix: expect.stringMatching(/^Set a longer one\. .*xopc gateway/),
    });
  });

  it('are the crashes of the last day, and not the ends that were wanted', async () => {
    const { home, paths } = createHome();
    const recent = new Date(Date.now() - 3_600_000).toISOString();
    const old = new Date(Date.now() - 25 * 3_600_000).toISOString();
    write(paths.lastExitsFile, JSON.stringify([exit(recent, true), exit(recent, false), exit(old, true)]));
    const crashes = find(await diagnose(home), 'recent-crashes');
    expect(crashes).toMatchObject({ severity: 'warn', fix: expect.stringContaining('/x/crash-1.log') });
    expect(crashes.message).toContain('1 crashes');
    expect(crashes.message).toContain('Error: boom');
    write(paths.lastExitsFile, JSON.stringify([exit(recent, false), exit(old, true)]));
    expect((await diagnose(home)).codes).toContain('no-crashes');
    write(paths.lastExitsFile, 'torn');
    expect((await diagnose(home)).codes).toContain('no-crashes');
  });

  it('are the logs that crashes left, the newest by name', async () => {
    const { home, paths } = createHome();
    for (const name of ['crash-20260101T000000000Z-1.log', 'crash-20260301T000000000Z-3.log']) {
      write(join(paths.logsDir, name), 'x');
    }
    const found = find(await diagnose(home), 'crash-logs');
    expect(found).toMatchObject({ severity: 'info', message: expect.stringContaining('2 logs') });
    expect(found.fix).toContain('crash-20260301T000000000Z-3.log');
  });
});
