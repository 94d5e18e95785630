import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pidOfDeadProcess } from '../../supervisor/lock-samples.ts';
import { createHome, diagnose, find, write } from './diagnosis.ts';

it('is an older gateway in the background, running or not; its file stays', async () => {
  const { home } = createHome();
  const pidFile = join(home, 'gateway.pid');
  write(pidFile, `${pidOfDeadProcess()}\n`);
  expect(find(await diagnose(home), 'legacy-pid-file').fix).toContain(`rm ${pidFile}`);
  const old = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'xopc', 'gateway'], { stdio: 'ignore' });
  onTestFinished(() => void old.kill('SIGKILL'));
  write(pidFile, `${old.pid}\n`);
  expect(find(await diagnose(home), 'legacy-running').fix).toContain(`kill ${old.pid}`);
  expect(existsSync(pidFile)).toBe(true);
});
