import { chmodSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPermissions } from '../../../bin/doctor/permissions.ts';
import { createHome, createScene, diagnose, write } from './diagnosis.ts';

describe('the files', () => {
  it('that other users may open are named with the command that closes them', async () => {
    const { home, paths } = createHome();
    write(paths.tokenFile, 'token');
    chmodSync(paths.tokenFile, 0o644);
    chmodSync(paths.configPath, 0o660);
    chmodSync(paths.locksDir, 0o755);
    const { findings, ok } = await diagnose(home);
    const open = findings.filter(({ code }) => code === 'open-to-others');
    expect(open.map(({ fix }) => fix)).toEqual([
      `chmod 700 ${paths.locksDir}`,
      `chmod 600 ${paths.configPath}`,
      `chmod 600 ${paths.tokenFile}`,
    ]);
    expect(ok).toBe(true);
  });

  it('that belong to somebody else are an error, or worth knowing for the superuser', () => {
    const { paths } = createHome();
    const as = (uid: number) => checkPermissions(createScene({ paths, uid }));
    const owner = statSync(paths.configPath).uid;
    expect(as(owner)).toMatchObject([{ code: 'files-private', severity: 'ok' }]);
    const stranger = as(owner + 1).filter(({ message }) => message.includes(paths.configPath));
    expect(stranger).toMatchObject([{ code: 'foreign-owner', severity: 'error' }]);
    expect(stranger[0]?.fix).toContain(`sudo chown ${owner + 1} ${paths.configPath}`);
    for (const finding of as(0)) expect(['info', 'ok']).toContain(finding.severity);
  });

  it('that cannot be written are an error', () => {
    const { paths } = createHome();
    rmSync(paths.runDir, { recursive: true });
    write(paths.runDir, '');
    expect(checkPermissions(createScene({ paths }))).toMatchObject([
      { code: 'not-writable', severity: 'error', message: expect.stringContaining(paths.runDir) },
    ]);
  });
});
