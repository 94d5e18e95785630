import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockRecordText, pidOfDeadProcess } from '../../supervisor/lock-samples.ts';
import { createHome, diagnose, find, write } from './diagnosis.ts';

describe('the locks', () => {
  it('are all told, each with its holder and whether it still counts', async () => {
    const { home, paths } = createHome();
    const gone = pidOfDeadProcess();
    const locks = {
      [paths.lockFile]: lockRecordText({ pid: gone, configPath: paths.configPath }),
      [join(paths.locksDir, 'gateway.a1.lock')]: lockRecordText({ pid: process.pid, configPath: '/etc/one.json' }),
      [join(paths.locksDir, 'gateway.a2.lock')]: lockRecordText({
        pidNamespace: 'pid:[1]',
        configPath: '/etc/two.json',
      }),
      [join(paths.locksDir, 'gateway.a3.lock')]: '{"pid":',
      [join(paths.locksDir, 'gateway.a4.lock')]: '',
    };
    for (const [path, content] of Object.entries(locks)) write(path, content);
    utimesSync(join(paths.locksDir, 'gateway.a3.lock'), 1, 1);
    const found = await diagnose(home);
    expect(find(found, 'lock-stale')).toMatchObject({
      severity: 'info',
      message: expect.stringContaining(`PID ${gone}`),
    });
    expect(find(found, 'lock-held').message).toContain(`PID ${process.pid}`);
    expect(find(found, 'lock-held').message).toContain('/etc/one.json');
    expect(find(found, 'lock-elsewhere').severity).toBe('warn');
    expect(find(found, 'lock-broken').message).toContain('gateway.a3.lock');
    expect(find(found, 'lock-being-written').message).toContain('gateway.a4.lock');
    expect(found.codes).not.toContain('lock-free');
  });

  it('of a state directory that another configuration uses is an error, with the command that ends it', async () => {
    const { home, paths } = createHome();
    write(join(paths.runDir, 'state.lock'), lockRecordText({ pid: process.pid, configPath: '/etc/other.json' }));
    const taken = find(await diagnose(home), 'state-dir-taken');
    expect(taken.severity).toBe('error');
    expect(taken.fix).toContain('xopc gateway --config /etc/other.json stop');
  });
});
