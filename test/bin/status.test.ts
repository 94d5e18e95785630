import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { en } from '../../bin/messages/en.ts';
import { zh } from '../../bin/messages/zh.ts';
import type { Phase, SupervisorStatus, WorkerExit } from '../../lib/control.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { readDocument, runCommand } from './run-command.ts';
import { always, INSTANCE, openStandIn, serveHttp, serveTcp, takeLock } from './stand-in.ts';

const health = { status: 'healthy', uptime: 60, version: '1.2.3', instanceId: INSTANCE, generation: 1 };

const crash: WorkerExit = {
  ...{ generation: 3, pid: 77, at: '2026-03-04T05:06:07.000Z', uptimeMs: 4_000, code: 1, signal: null },
  ...{ isCrash: true, reason: 'exit code 1', firstErrorLine: 'TypeError: x is not a function' },
  crashLog: '/var/xopc/logs/crash-3.log',
};

const beat = {
  ...{ rssBytes: 1, loopDelayMs: 2, requests: 3, turns: 4, streams: 5, leaseEpoch: 1, outbox: 6 },
  channels: [
    { channel: 'telegram', accountId: 'default', state: 'connected', since: 1_700_000_000_000 },
    { channel: 'telegram', accountId: 'second', state: 'connecting', since: 1_700_000_000_000 },
  ],
};

const worker = (at: string): SupervisorStatus['workers'][number] => ({
  ...{ generation: 1, pid: 4321, stage: 'ready', startedAt: '2026-03-04T05:06:06.000Z' },
  heartbeat: { ...beat, at },
});

describe('status of a gateway that serves', () => {
  it('has the layout of the manual: what it is, the port, the access, the management', async () => {
    const port = await serveHttp(always(health));
    const gateway = await openStandIn({ port });
    const { code, stdout, stderr } = await gateway.run('status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['Gateway is running', `Port: ${port}`]);
    const access = lines.indexOf('Access:');
    expect(lines.slice(access, access + 3)).toEqual([
      'Access:',
      `   URL: http://localhost:${port}`,
      '   Token: canary01...89abcdef',
    ]);
    expect(lines.slice(-4)).toEqual([
      'Management:',
      '   xopc gateway stop     # stop the gateway',
      '   xopc gateway restart  # restart the gateway',
      '',
    ]);
    expect(stdout).toContain(`PIDs: supervisor ${process.pid}, worker ?`);
    expect(stdout).toContain('Version: 1.2.3');
    expect(stdout).toContain('Uptime: 1m 1s');
    expect(stdout).toContain('(worker 1 is ready)');
  });

  it('tells of failures: why workers ended, where their log is, how far it is to safe mode, the failed restart', async () => {
    const port = await serveHttp(always(health));
    const gateway = await openStandIn({
      port,
      status: () => ({
        lastExits: [crash, { ...crash, isCrash: false, reason: 'exit code 0', firstErrorLine: null, crashLog: null }],
        crashes: { recent: 2, limit: 5 },
        restartFailure: 'gateway.port: must be a number',
        service: 'systemd',
      }),
    });
    const { stdout } = await gateway.run('status');
    for (const text of [
      'exit code 1, after 4s',
      '      TypeError: x is not a function',
      'Its last lines: /var/xopc/logs/crash-3.log',
      'ended as told (exit code 0), after 4s',
      'Crashes: 2 within 10 minutes; at 5 safe mode begins',
      'the old worker serves on: gateway.port: must be a number',
      'Service: systemd',
    ])
      expect(stdout).toContain(text);
    const document = readDocument(await gateway.run('status', '--json'));
    expect(document).toMatchObject({
      lastExits: [crash, { isCrash: false }],
      crashes: { recent: 2, limit: 5 },
      restartFailure: 'gateway.port: must be a number',
      service: 'systemd',
    });
  });

  it('is one document for a program, with all that there is', async () => {
    const port = await serveHttp(always({ ...health, queues: { inbox: 1, outbox: 2 }, channels: [], findings: [] }));
    const workers = [worker('2026-03-04T05:06:09.000Z')];
    const gateway = await openStandIn({ port, status: () => ({ workers }) });
    expect(readDocument(await gateway.run('status', '--json'))).toEqual({
      ...{ ok: true, running: true, state: 'running', healthy: true },
      ...{ url: `http://localhost:${port}`, port, auth: 'token', token: 'canary01...89abcdef' },
      ...{ supervisorPid: process.pid, workerPid: 4321, version: '1.2.3', uptime: 61 },
      ...{ channels: [], queues: { inbox: 1, outbox: 2 }, outbox: 2, findings: [] },
      ...{ reason: 'worker 1 is ready', since: '2026-03-04T05:06:07.000Z', instanceId: INSTANCE, workers },
      ...{ lastExits: [], crashes: { recent: 0, limit: 5 }, restartFailure: null, service: null, fatal: null },
      ...{ installedService: null, serviceFindings: [] },
      probe: 'answered',
    });
  });

  it('tells how exposed it is, in the language of the reader, and leaves out what is only good to know', async () => {
    const values = { length: 16, minimum: 22 };
    const text = { title: 'A title', detail: 'a detail.', remediation: 'Do this.' };
    const findings = [
      { checkId: 'gateway.auth.short_token', severity: 'warn', ...text, values },
      { checkId: 'gateway.of_another_version', severity: 'critical', ...text, values: {} },
      { checkId: 'gateway.auth.auto_generated_token', severity: 'info', ...text, values: {} },
    ];
    const gateway = await openStandIn({ port: await serveHttp(always({ ...health, findings })) });
    const [english, chinese] = [await gateway.run('status'), await gateway.run('status', '--lang', 'zh')];
    expect(english.stdout).toContain('Security:\n   The token is short. It has 16 characters');
    expect(english.stdout).toContain('   A title. a detail.\n   → Do this.');
    expect(english.stdout).not.toContain('was generated');
    expect(chinese.stdout).toContain('安全:\n   令牌过短。令牌有 16 个字符');
  });

  it('takes and changes nothing', async () => {
    const gateway = await openStandIn({ port: await serveHttp(always(health)) });
    const before = readFileSync(gateway.paths.lockFile, 'utf8');
    await gateway.run('status');
    expect(readFileSync(gateway.paths.lockFile, 'utf8')).toBe(before);
  });

  it('does not let the texts of other programs steer the terminal', async () => {
    const gateway = await openStandIn({
      port: await serveHttp(always(health)),
      status: () => ({
        reason: 'a\x1b[2Jb',
        lastExits: [{ ...crash, firstErrorLine: `\x1b]0;x\x07${'y'.repeat(500)}` }],
      }),
    });
    const { stdout } = await gateway.run('status');
    expect(stdout).not.toContain('\x1b');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(200);
  });
});

describe('the state', () => {
  it.each<[Phase, keyof typeof en]>([
    ['starting', 'starting'],
    ['running', 'running'],
    ['restarting', 'running'],
    ['draining', 'draining'],
    ['backoff', 'backoff'],
    ['safe-mode', 'safeMode'],
  ])('%s is said in the first line, in both languages, with exit 0', async (phase, key) => {
    const gateway = await openStandIn({ status: () => ({ phase }) });
    const [json, english, chinese] = await Promise.all([
      gateway.run('status', '--no-probe', '--json'),
      gateway.run('status', '--no-probe'),
      gateway.run('status', '--no-probe', '--lang', 'zh'),
    ]);
    expect(readDocument(json)).toMatchObject({ running: true, state: phase, healthy: false, probe: 'skipped' });
    expect([json.code, english.code, chinese.code]).toEqual([0, 0, 0]);
    expect(english.stdout.split('\n')[0]).toBe(en[key]);
    expect(chinese.stdout.split('\n')[0]).toBe(zh[key]);
  });

  it('comes from the lock file when nobody answers on the control socket', async () => {
    const gateway = await openStandIn({ isMute: true, port: await serveHttp(always(health)) });
    gateway.lock?.update({ phase: 'safe-mode' });
    const { stdout, code } = await gateway.run('status');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(en.safeMode);
    expect(stdout).toContain(`PIDs: supervisor ${process.pid}, worker 4321`);
    expect(readDocument(await gateway.run('status', '--json'))).toMatchObject({
      ...{ running: true, state: 'safe-mode', supervisorPid: process.pid, workerPid: 4321, healthy: true },
      ...{ instanceId: INSTANCE, reason: null, crashes: null, workers: [] },
    });
  });

  it('is "unknown" when the lock file names one that we do not know', async () => {
    const gateway = await openStandIn({ isMute: true });
    gateway.lock?.update({ phase: 'levitating' });
    expect(readDocument(await gateway.run('status', '--no-probe', '--json'))).toMatchObject({ state: 'unknown' });
  });

  it('is found through the control socket when the lock file was removed', async () => {
    const gateway = await openStandIn({ isLockless: true });
    expect(readDocument(await gateway.run('status', '--no-probe', '--json'))).toMatchObject({ running: true });
  });
});

describe('status of a gateway whose worker hangs', () => {
  it('still tells all that the supervisor knows, and that the port does not answer', async () => {
    const port = await serveTcp(() => undefined);
    const gateway = await openStandIn({ port, status: () => ({ workers: [worker('2026-03-04T05:06:09.000Z')] }) });
    const { stdout, code } = await gateway.run('status');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toContain('does not answer yet');
    expect(stdout).toContain(`Port ${port} does not answer: no answer within`);
    expect(stdout).toContain('The worker has given no sign of life for');
    expect(stdout).toContain('   telegram/default: connected, since 20');
    expect(stdout).toContain('   telegram/second: connecting');
    expect(stdout).toContain('Queue: 6 to deliver');
  });

  it('does not ask the port when told so', async () => {
    let calls = 0;
    const port = await serveTcp(() => {
      calls += 1;
    });
    const gateway = await openStandIn({ port, status: () => ({ workers: [worker(new Date().toISOString())] }) });
    const document = readDocument(await gateway.run('status', '--no-probe', '--json'));
    expect(document).toMatchObject({
      channels: [{ id: 'telegram', accounts: [{ accountId: 'default' }, { accountId: 'second' }] }],
      outbox: 6,
    });
    expect(calls).toBe(0);
  });

  it('says what a 503 says', async () => {
    const port = await serveHttp(always({ error: { code: 'NOT_READY', message: 'Starting again.' } }, 503));
    const gateway = await openStandIn({ port });
    expect((await gateway.run('status')).stdout).toContain('HTTP 503: Starting again.');
    expect(readDocument(await gateway.run('status', '--json'))).toMatchObject({
      ...{ healthy: false, probe: 'silent', probeError: 'HTTP 503: Starting again.' },
    });
  });
});

describe('a port that somebody else answers on', () => {
  it('belongs to another gateway: the instance that was reached is named, and it never sees the token', async () => {
    const authorizations: unknown[] = [];
    const port = await serveHttp((request, response) => {
      authorizations.push(request.headers.authorization);
      always({ ...health, instanceId: 'instance-b' })(request, response);
    });
    const gateway = await openStandIn({ port });
    const { stdout, code } = await gateway.run('status');
    expect(code).toBe(0);
    expect(stdout).toContain('you reached instance instance-b, not instance-a');
    expect(readDocument(await gateway.run('status', '--json'))).toMatchObject({
      ...{ healthy: false, probe: 'other-instance', reachedInstanceId: 'instance-b' },
    });
    expect(authorizations).toEqual([undefined, undefined]);
  });

  it.each([
    ['a web page', () => serveHttp((_request, response) => response.end('<html></html>'))],
    ['an API of another kind', () => serveHttp(always({ status: 'ok' }))],
    ['a list', () => serveHttp((_request, response) => response.end('[]'))],
    ['no HTTP at all', () => serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'))],
  ])('belongs to a stranger: %s', async (_name, serve) => {
    const gateway = await openStandIn({ port: await serve() });
    expect((await gateway.run('status')).stdout).toContain('is answered by a program that is no xopc gateway');
    expect(readDocument(await gateway.run('status', '--json'))).toMatchObject({ healthy: false, probe: 'stranger' });
  });

  it('and the details are asked for with the token once it is known who answers', async () => {
    const authorizations: unknown[] = [];
    const port = await serveHttp((request, response) => {
      authorizations.push(request.headers.authorization);
      always(health)(request, response);
    });
    await (await openStandIn({ port })).run('status');
    expect(authorizations).toEqual([undefined, 'Bearer canary0123456789abcdef0123456789abcdef']);
  });
});

describe('a control socket', () => {
  it('of another configuration that uses the same state directory is not ours to speak of, or to stop', async () => {
    let stops = 0;
    const gateway = await openStandIn({
      isLockless: true,
      handle: {
        stop() {
          stops += 1;
          return { phase: 'draining' };
        },
      },
    });
    const other = join(gateway.home, 'other.json');
    writeFileSync(other, '{}');
    const run = (...args: string[]) => gateway.runWith({ XOPC_STATE_DIR: gateway.home }, '--config', other, ...args);
    expect((await run('status')).code).toBe(3);
    expect(await run('stop')).toMatchObject({ code: 0, stdout: `${en.notRunning}\n` });
    expect((await run('restart')).code).toBe(3);
    expect((await run('token')).code).toBe(1);
    expect(stops).toBe(0);
  });

  it('that gives no answer does not keep status from the rest', async () => {
    const gateway = await openStandIn({
      port: await serveHttp(always(health)),
      handle: { status: () => new Promise(() => undefined), token: () => new Promise(() => undefined) },
    });
    expect(readDocument(await gateway.run('status', '--json'))).toMatchObject({
      ...{ running: true, state: 'running', healthy: true, reason: null },
    });
  });
});

describe('a gateway that gave up', () => {
  const fatal = { at: '2026-03-04T05:06:07.000Z', exitCode: 78, message: 'The port is bad.', hint: 'Choose another.' };

  function homeWith(content: string): string {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'run'), { recursive: true });
    writeFileSync(join(home, 'run', 'fatal.json'), content);
    writeFileSync(join(home, 'run', 'last-exits.json'), JSON.stringify([crash]));
    return home;
  }

  it('is told from one that was stopped, with the reason, what to do, and exit 3', async () => {
    const XOPC_HOME = homeWith(JSON.stringify(fatal));
    const { code, stdout } = await runCommand(['gateway', 'status'], { XOPC_HOME });
    expect(code).toBe(3);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 3)).toEqual([en.givenUp, '   The port is bad.', '   Choose another.']);
    expect(stdout).toContain('exit code 78');
    expect(stdout).toContain('TypeError: x is not a function');
    expect(lines.at(-2)).toBe(en.startHint);
    const asJson = await runCommand(['gateway', 'status', '--json'], { XOPC_HOME });
    expect(readDocument(asJson)).toMatchObject({
      ...{ ok: true, running: false, state: 'given-up', reason: 'The port is bad.', since: fatal.at },
      ...{ fatal, lastExits: [crash] },
    });
  });

  it.each(['', '{', '[]', '{"at":1}'])('is not made up from a file that cannot be understood: %j', async (content) => {
    const XOPC_HOME = homeWith(content);
    const result = await runCommand(['gateway', 'status', '--json'], { XOPC_HOME });
    expect(result.code).toBe(3);
    expect(readDocument(result)).toMatchObject({ state: 'stopped', fatal: null, lastExits: [crash] });
  });

  it('is not what a gateway is that runs by now', async () => {
    const home = homeWith(JSON.stringify(fatal));
    const gateway = await openStandIn({ home });
    expect(readDocument(await gateway.run('status', '--no-probe', '--json'))).toMatchObject({
      ...{ state: 'running', fatal: null },
    });
  });
});

describe('a lock of a gateway that is gone', () => {
  it('is left where it is', async () => {
    const gateway = await openStandIn({ isMute: true, isLockless: true });
    await takeLock(gateway.paths, 1);
    const stale = readFileSync(gateway.paths.lockFile, 'utf8').replace(/"startTime":\d+/, '"startTime":1');
    rmSync(gateway.paths.lockFile);
    writeFileSync(gateway.paths.lockFile, stale);
    expect((await gateway.run('status')).code).toBe(3);
    expect(readFileSync(gateway.paths.lockFile, 'utf8')).toBe(stale);
  });
});
