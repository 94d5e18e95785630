import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ControlRefusal } from '../../supervisor/control.ts';
import { readDocument } from './run-command.ts';
import { always, INSTANCE, openStandIn, type StandIn, serveHttp, takeLock } from './stand-in.ts';

/** The pid of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}

describe('stop', () => {
  it('is told why when the gateway refuses', async () => {
    const handle = {
      stop() {
        throw new ControlRefusal('An update is running.', 'Wait for its end.');
      },
    };
    const gateway = await openStandIn({ handle });
    const { code, stderr } = await gateway.run('stop');
    expect(code).toBe(1);
    expect(stderr).toBe('Error: An update is running.\nWait for its end.\n');
    expect(readDocument(await gateway.run('stop', '--json'))).toEqual({
      ok: false,
      error: { code: 1, message: 'An update is running.', hint: 'Wait for its end.' },
    });
  });

  it('names the pid of a gateway that does not end in time, and asks it once only', async () => {
    let stops = 0;
    const handle = {
      stop() {
        stops += 1;
        return { phase: 'draining' as const };
      },
    };
    const gateway = await openStandIn({ handle });
    const { code, stdout, stderr } = await gateway.run('stop', '--timeout', '200ms');
    expect(code).toBe(1);
    expect(stdout).toBe(`Stopping the gateway (PID ${process.pid}) …\n`);
    expect(stderr).toContain(`The gateway (PID ${process.pid}) is still running after 200ms.`);
    expect(stderr).toContain(`kill -9 ${process.pid}`);
    expect(stops).toBe(1);
  });

  it('sends no signal on top of a request that the gateway may have heard', async () => {
    let stops = 0;
    const handle = {
      stop() {
        stops += 1;
        return new Promise<never>(() => undefined);
      },
    };
    const gateway = await openStandIn({ handle });
    // A signal would end the process of this test, whose pid the lock names.
    expect((await gateway.run('stop', '--timeout', '200ms')).code).toBe(1);
    expect(stops).toBe(1);
  });

  it('tells a person who waits what for', async () => {
    const heartbeat = {
      ...{ rssBytes: 1, loopDelayMs: 2, requests: 3, turns: 2, streams: 0, leaseEpoch: 1, outbox: 0 },
      ...{ channels: [], at: '2026-03-04T05:06:07.000Z' },
    };
    const workers = [{ generation: 1, pid: 1, stage: 'draining' as const, startedAt: '', heartbeat }];
    const gateway = await openStandIn({ status: () => ({ workers, active: null }) });
    const { stdout } = await gateway.run('stop', '--timeout', '2500ms');
    expect(stdout).toContain('Letting running work finish: 2 turns, 3 requests\n');
  });

  it('says so when another gateway takes the place of the one that it stopped', async () => {
    const gateway: StandIn = await openStandIn({
      handle: {
        async stop() {
          gateway.lock?.release();
          await takeLock(gateway.paths, 1, 'instance-b');
          return { phase: 'draining' };
        },
      },
    });
    const { code, stderr } = await gateway.run('stop');
    expect(code).toBe(1);
    expect(stderr).toContain(`another one (PID ${process.pid}) has been started in its place`);
    expect(stderr).toContain('service manager');
  });

  it.runIf(process.platform === 'linux')(
    'is no success while somebody listens on the port, and names who',
    async () => {
      const pid = await deadPid();
      const port = await serveHttp(always({}));
      const gateway: StandIn = await openStandIn({
        ...{ isLockless: true, port },
        status: () => ({ pid }),
        handle: {
          stop() {
            setTimeout(() => gateway.close(), 20);
            return { phase: 'draining' };
          },
        },
      });
      const { code, stderr } = await gateway.run('stop', '--timeout', '300ms');
      expect(code).toBe(1);
      expect(stderr).toContain(`something still listens on port ${port} (PID ${process.pid})`);
    },
  );

  it('goes through the control socket when the lock file was removed', async () => {
    const pid = await deadPid();
    const gateway: StandIn = await openStandIn({
      ...{ isLockless: true },
      status: () => ({ pid }),
      handle: {
        stop() {
          setTimeout(() => gateway.close(), 20);
          return { phase: 'draining' };
        },
      },
    });
    expect(readDocument(await gateway.run('stop', '--json'))).toEqual({ ok: true, result: 'stopped', pid });
  });
});

describe('stop from inside the gateway, such as by a tool of an agent', () => {
  it('returns once it is accepted, since it would wait for itself', async () => {
    const gateway = await openStandIn();
    const inside = { XOPC_INSTANCE: INSTANCE };
    const { code, stdout } = await gateway.runWith(inside, 'stop');
    expect(code).toBe(0);
    expect(stdout).toContain('runs inside the gateway');
    expect(readDocument(await gateway.runWith(inside, 'stop', '--json'))).toEqual({
      ok: true,
      result: 'accepted',
      pid: process.pid,
    });
  });

  it('waits for another gateway than its own', async () => {
    const gateway = await openStandIn();
    const { code } = await gateway.runWith({ XOPC_INSTANCE: 'instance-b' }, 'stop', '--timeout', '100ms');
    expect(code).toBe(1);
  });
});

describe('stop --disable', () => {
  it('says that there is no service when there is none, running or not', async () => {
    const gateway = await openStandIn();
    const inside = { XOPC_INSTANCE: INSTANCE };
    expect((await gateway.runWith(inside, 'stop', '--disable')).stdout).toContain('There is no service to disable.');
    expect(readDocument(await gateway.runWith(inside, 'stop', '--disable', '--json'))).toMatchObject({
      ...{ ok: true, disabled: false },
    });
    gateway.lock?.release();
    gateway.close();
    expect(readDocument(await gateway.run('stop', '--disable', '--json'))).toEqual({
      ...{ ok: true, result: 'not-running', disabled: false },
    });
  });
});
