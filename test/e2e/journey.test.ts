import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { createHome, type Home } from './home.ts';
import { sendRequest } from './http.ts';
import { findProcesses, killProcesses } from './processes.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'xopc.js');
const homes: Home[] = [];

afterAll(async () => {
  for (const home of homes) {
    await killProcesses(findProcesses(home.path));
    home.remove();
  }
});

type Typed = { code: number; stdout: string; stderr: string };

/** What a new user types, line by line, in a shell that is no terminal, such as over ssh or in a script. */
function openShell(lang: string): { home: Home; type(line: string): Promise<Typed> } {
  const home = createHome();
  homes.push(home);
  // As `npm install --global` puts it into the path.
  const bin = join(home.path, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xopc'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: home.path, LANG: lang, OLLAMA_HOST: '127.0.0.1:9' };
  const type = (line: string): Promise<Typed> =>
    new Promise((resolve) => {
      execFile('sh', ['-c', line], { env, cwd: home.path }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
      });
    });
  return { home, type };
}

describe.each([
  {
    lang: 'en_US.UTF-8',
    ...{ running: 'Gateway is running', restarted: 'Restart accepted by the gateway (PID ' },
    ...{ stopping: 'Stopping the gateway (PID ', stopped: 'Gateway stopped', notRunning: 'Gateway is not running' },
  },
  {
    lang: 'zh_CN.UTF-8',
    ...{ running: '网关正在运行', restarted: '已接受重启请求' },
    ...{ stopping: '正在停止网关', stopped: '网关已停止', notRunning: '网关未运行' },
  },
])('a new user whose language is $lang', ({ lang, running, restarted, stopping, stopped, notRunning }) => {
  const { home, type } = openShell(lang);
  let port = 0;

  it('starts the gateway in the background and gets the shell back', async () => {
    expect(await type('xopc gateway status')).toMatchObject({ code: 3, stdout: expect.stringContaining(notRunning) });
    // The default port may be in use on the machine that runs the tests.
    expect(await type('xopc gateway --port 0 > gateway.out 2>&1 &')).toEqual({ code: 0, stdout: '', stderr: '' });
    const { stdout } = await eventually('the gateway', async () => {
      const shown = await type('xopc gateway status');
      return shown.code === 0 && shown.stdout.includes(running) ? shown : undefined;
    });
    port = Number(/http:\/\/localhost:(\d+)/.exec(stdout)?.[1]);
    expect((await sendRequest(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect((await type('cat gateway.out')).stdout).toContain(running);
  });

  it('restarts it, and sees that another worker serves', async () => {
    const before = home.readLock()?.workerPid;
    expect(await type('xopc gateway restart')).toMatchObject({
      ...{ code: 0, stdout: expect.stringContaining(restarted), stderr: '' },
    });
    await eventually('another worker', async () => home.readLock()?.workerPid !== before);
    expect((await sendRequest(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  it('reads the last five lines of the log', async () => {
    const { code, stdout } = await type('xopc gateway logs --lines 5');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(5);
  });

  it('stops it, and nothing is left: no process, no lock, no open port', async () => {
    const { code, stdout, stderr } = await type('xopc gateway stop');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(stopping);
    expect(stdout).toContain(stopped);
    expect(findProcesses(home.path)).toEqual([]);
    expect(home.readLock()).toBeUndefined();
    await expect(sendRequest(`http://127.0.0.1:${port}/health`)).rejects.toThrow('ECONNREFUSED');
    expect(await type('xopc gateway status')).toMatchObject({ code: 3, stdout: expect.stringContaining(notRunning) });
    expect(existsSync(home.configPath)).toBe(true);
  });
});
