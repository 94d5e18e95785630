import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { lockRecordText } from '../../supervisor/lock-samples.ts';
import { createHome, diagnose, find, write } from './diagnosis.ts';
import { freePort, listenOnPort } from './servers.ts';

describe('the port', () => {
  it('is free, or any', async () => {
    const port = await freePort();
    expect((await diagnose(createHome({ gateway: { port } }).home)).codes).toContain('port-free');
    expect((await diagnose(createHome({ gateway: { port: 0 } }).home)).codes).toContain('port-any');
  });

  it.each([
    ['speaks something else', createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'))],
    ['answers no JSON', createHttpServer((_request, response) => response.end('hello'))],
    ['hangs up', createServer((socket) => socket.destroy())],
  ])('that belongs to a program which %s is an error that names it', async (_what, server) => {
    const port = await listenOnPort(server);
    const found = find(await diagnose(createHome({ gateway: { port } }).home), 'port-taken');
    expect(found.severity).toBe('error');
    if (process.platform === 'linux') expect(found.message).toContain(`PID ${process.pid}`);
    expect(found.fix).toContain('xopc gateway --force');
  });

  it('that belongs to another gateway is an error that names its instance', async () => {
    const answer = JSON.stringify({ status: 'healthy', instanceId: 'somebody-else' });
    const port = await listenOnPort(createHttpServer((_request, response) => response.end(answer)));
    const found = find(await diagnose(createHome({ gateway: { port } }).home), 'port-other-gateway');
    expect(found.message).toContain('somebody-else');
    expect(found.fix).toContain('gateway.port');
  });

  it('where nothing listens although the gateway runs is an error', async () => {
    const scene = createHome();
    const port = await freePort();
    write(scene.paths.lockFile, lockRecordText({ pid: process.pid, configPath: scene.paths.configPath, port }));
    expect(find(await diagnose(scene.home), 'port-closed').message).toContain(`port ${port}`);
  });
});
