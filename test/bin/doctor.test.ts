import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startGateway, stopAll } from '../e2e/gateway.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { lockRecordText, pidOfDeadProcess } from '../supervisor/lock-samples.ts';
import { createHome, diagnose, write } from './doctor/diagnosis.ts';
import { runCommand } from './run-command.ts';

afterAll(stopAll);

describe('gateway doctor', () => {
  it('on a machine where nothing ran yet finds no error, and makes nothing', async () => {
    const home = temporaryDirectory();
    const { codes, code } = await diagnose(home);
    expect(code).toBe(0);
    expect(codes).toContain('lock-free');
    expect(codes).toContain('config-missing');
    expect(codes).toContain('database-new');
    expect(readdirSync(home)).toEqual([]);
  });

  it('says each finding with what to do about it, in both languages', async () => {
    const { home, paths } = createHome();
    chmodSync(paths.logsDir, 0o755);
    const english = await runCommand(['gateway', 'doctor'], { XOPC_HOME: home });
    expect(english.stdout).toContain(
      `warning: ${paths.logsDir} is open to other users (mode 755).\n   → chmod 700 ${paths.logsDir}\n`,
    );
    expect(english.stdout).toMatch(/\nErrors: 0, warnings: 1\n$/);
    const chinese = await runCommand(['gateway', 'doctor', '--lang', 'zh'], { XOPC_HOME: home });
    expect(chinese.stdout).toContain(`警告: ${paths.logsDir} 对其他用户开放(权限 755)。\n   → 执行:chmod 700`);
    chmodSync(paths.logsDir, 0o700);
    expect((await runCommand(['gateway', 'doctor'], { XOPC_HOME: home })).stdout).toMatch(/\nEverything is fine.\n$/);
  });

  it('changes nothing at all, whatever it finds', async () => {
    const { home, paths } = createHome('{"gateway":{"prot":1}}');
    chmodSync(paths.credentialsDir, 0o777);
    write(paths.lockFile, lockRecordText({ pid: pidOfDeadProcess() }));
    write(join(paths.runDir, 'state.lock'), 'torn');
    write(join(home, 'gateway.pid'), String(pidOfDeadProcess()));
    write(paths.databaseFile, 'no database');
    const before = snapshot(home);
    await diagnose(home);
    expect(snapshot(home)).toEqual(before);
  });

  it('finds a gateway that runs in good order, and does not disturb it', async () => {
    const gateway = await startGateway({ config: {} });
    const { codes, ok, findings } = await diagnose(gateway.home.stateDir, { HOME: gateway.home.path });
    expect(findings.filter(({ severity }) => severity === 'error' || severity === 'warn')).toEqual([]);
    expect(ok).toBe(true);
    for (const code of [
      'lock-held',
      'control-answers',
      'port-ours',
      'config-valid',
      'files-private',
      'database-intact',
    ]) {
      expect(codes).toContain(code);
    }
    const workerPid = gateway.workerPid();
    expect((await gateway.request('/health')).status).toBe(200);
    expect(gateway.workerPid()).toBe(workerPid);
    await gateway.stop();
  });
});

/** Paths, contents and times of everything below a directory. */
function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => {
    const path = join(directory, name);
    const { mtimeMs, mode } = statSync(path);
    return `${name} ${mode} ${mtimeMs} ${statSync(path).isFile() ? readFileSync(path, 'utf8') : ''}`;
  });
}
