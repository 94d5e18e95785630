import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { lockRecordText } from '../../supervisor/lock-samples.ts';
import { createHome, diagnose, find, type Home, write } from './diagnosis.ts';
import { listen } from './servers.ts';

describe('the control socket', () => {
  const holdLock = ({ paths }: Home): void =>
    write(paths.lockFile, lockRecordText({ pid: process.pid, configPath: paths.configPath, port: 1 }));

  it('of a gateway that gives no sensible answer is an error with its pid', async () => {
    const scene = createHome();
    holdLock(scene);
    const server = await listen(
      createServer((socket) => socket.on('error', () => undefined).end('what?\n')),
      scene.paths.controlSocket,
    );
    const found = await diagnose(scene.home);
    server.close();
    expect(find(found, 'control-silent')).toMatchObject({
      severity: 'error',
      fix: expect.stringContaining(`kill -9 ${process.pid}`),
    });
  });

  it('that is missing, or left behind, is told', async () => {
    const scene = createHome();
    holdLock(scene);
    expect(find(await diagnose(scene.home), 'control-missing').severity).toBe('warn');
    const other = createHome();
    write(other.paths.controlSocket, '');
    expect(find(await diagnose(other.home), 'control-left').severity).toBe('info');
  });

  it('of a gateway that is just starting may be missing; one in another container is left to its lock', async () => {
    const scene = createHome();
    const record = { configPath: scene.paths.configPath, port: 1 };
    write(scene.paths.lockFile, lockRecordText({ ...record, pid: process.pid, phase: 'starting' }));
    const starting = await diagnose(scene.home);
    expect(find(starting, 'control-missing').severity).toBe('info');
    expect(starting.codes).toContain('port-free');
    write(scene.paths.lockFile, lockRecordText({ ...record, pidNamespace: 'pid:[1]' }));
    const elsewhere = await diagnose(scene.home);
    expect(elsewhere.codes.filter((code) => /^control-|^port-/.test(code))).toEqual(['port-free']);
    expect(elsewhere.ok).toBe(true);
  });
});
