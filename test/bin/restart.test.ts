import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ControlRequest, SupervisorStatus } from '../../lib/control.ts';
import { ControlRefusal } from '../../supervisor/control.ts';
import { readDocument, runCommand } from './run-command.ts';
import { always, INSTANCE, openStandIn, type StandIn, serveHttp } from './stand-in.ts';

type Step = Partial<SupervisorStatus>;

const at = (second: number): string => new Date(Date.UTC(2026, 2, 4, 5, 6, second)).toISOString();
const worker = (generation: number): SupervisorStatus['workers'][number] => ({
  ...{ generation, pid: 4_320 + generation, stage: 'ready', startedAt: at(0), heartbeat: null },
});
const serving = (generation: number, change: Step = {}): Step => ({
  ...{ phase: 'running', active: generation, workers: [worker(generation)], since: at(generation) },
  ...change,
});
const booting: Step = { ...serving(1), phase: 'restarting', since: at(30), workers: [worker(1), worker(2)] };

type Scene = { gateway: StandIn; requests: ControlRequest[]; intents: string[] };

/** A gateway that serves with worker 1 and, once told to restart, goes through these steps, each for some looks. */
async function openRestarting(steps: readonly Step[], looksPerStep = 2): Promise<Scene> {
  const requests: ControlRequest[] = [];
  const intents: string[] = [];
  let looks = 0;
  const current = (): Step => {
    if (requests.length === 0) return serving(1);
    return steps[Math.min(Math.floor(looks / looksPerStep), steps.length - 1)] ?? {};
  };
  const port = await serveHttp(
    always(() => ({
      ...{ status: 'healthy', version: '1.2.3', instanceId: INSTANCE },
      generation: current().active ?? undefined,
    })),
  );
  const gateway: StandIn = await openStandIn({
    port,
    status() {
      const step = current();
      if (requests.length > 0) looks += 1;
      return step;
    },
    handle: {
      restart(request) {
        requests.push(request);
        if (existsSync(gateway.paths.restartIntentFile))
          intents.push(readFileSync(gateway.paths.restartIntentFile, 'utf8'));
        return { generation: 2 };
      },
    },
  });
  return { gateway, requests, intents };
}

const hasIntent = ({ gateway }: Scene): boolean => existsSync(gateway.paths.restartIntentFile);

describe('restart', () => {
  it('returns once it is accepted', async () => {
    const scene = await openRestarting([booting]);
    const { code, stdout } = await scene.gateway.run('restart');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `Restart accepted by the gateway (PID ${process.pid})\n` });
    expect(readDocument(await scene.gateway.run('restart', '--json'))).toEqual({
      ...{ ok: true, result: 'accepted', pid: process.pid, instanceId: INSTANCE },
    });
    expect(scene.requests[0]).toEqual({ do: 'restart', force: false, reason: 'xopc gateway restart' });
  });

  it('is announced on disk before the gateway hears of it, and the announcement is gone afterwards', async () => {
    const scene = await openRestarting([booting]);
    await scene.gateway.run('restart');
    expect(JSON.parse(scene.intents[0] ?? '')).toMatchObject({ pid: process.pid, instanceId: INSTANCE });
    expect(hasIntent(scene)).toBe(false);
  });

  it('with --force leaves running turns no time', async () => {
    const scene = await openRestarting([booting]);
    await scene.gateway.run('restart', '--force');
    expect(scene.requests).toMatchObject([{ force: true }]);
  });

  it('from inside the gateway says that it does not wait', async () => {
    const { gateway } = await openRestarting([booting]);
    const { stdout } = await gateway.runWith({ XOPC_INSTANCE: INSTANCE }, 'restart');
    expect(stdout).toContain('runs inside the gateway');
  });

  it('that the gateway refuses ends with 1, its reason, and no announcement', async () => {
    const handle = {
      restart() {
        throw new ControlRefusal('commands.restart is false.', 'Set it to true.');
      },
    };
    const gateway = await openStandIn({ handle });
    for (const args of [['restart'], ['restart', '--wait']]) {
      const { code, stderr } = await gateway.run(...args);
      expect({ code, stderr }).toEqual({ code: 1, stderr: 'Error: commands.restart is false.\nSet it to true.\n' });
      expect(existsSync(gateway.paths.restartIntentFile)).toBe(false);
    }
  });

  it('without a gateway ends with 3 and says how to start one', async () => {
    for (const args of [['restart'], ['restart', '--wait', '1s']]) {
      const { code, stderr } = await runCommand(['gateway', ...args]);
      expect(code).toBe(3);
      expect(stderr).toContain('Gateway is not running');
      expect(stderr).toContain('Start it with: xopc gateway');
    }
    expect(readDocument(await runCommand(['gateway', 'restart', '--json']))).toMatchObject({
      ...{ ok: false, error: { code: 3, hint: expect.stringContaining('xopc gateway') } },
    });
  });

  it('is a usage error with a time that is none', async () => {
    const { code, stderr } = await runCommand(['gateway', 'restart', '--wait', 'soon']);
    expect(code).toBe(2);
    expect(stderr).toContain('"soon" is no duration');
  });
});

describe('restart --wait', () => {
  it('tells each step and returns when the new worker serves and answers on the port', async () => {
    const scene = await openRestarting([serving(1), booting, serving(2)]);
    const { code, stdout, stderr } = await scene.gateway.run('restart', '--wait', '20s');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Waiting for the new worker\n/);
    expect(stdout).toMatch(/Gateway restarted in .*: worker 2 \(PID 4322\), version 1\.2\.3\n$/);
    expect(hasIntent(scene)).toBe(false);
  });

  it('is one document for a program', async () => {
    const { gateway } = await openRestarting([booting, serving(2)]);
    expect(readDocument(await gateway.run('restart', '--wait', '--json'))).toEqual({
      ...{ ok: true, result: 'restarted', pid: process.pid, instanceId: INSTANCE },
      ...{ workerPid: 4_322, generation: 2, version: '1.2.3', ms: expect.any(Number) },
    });
  });

  it('ends with 1 and the reason when the new worker failed and the old one serves on', async () => {
    const scene = await openRestarting([booting, serving(1, { since: at(40), restartFailure: 'gateway.port: bad' })]);
    const { code, stderr } = await scene.gateway.run('restart', '--wait');
    expect(code).toBe(1);
    expect(stderr).toContain('the old worker serves on: gateway.port: bad');
    expect(stderr).toContain('xopc gateway logs');
    expect(hasIntent(scene)).toBe(false);
  });

  it('ends with 1 when the new worker crashes and nobody serves', async () => {
    const lastExits = [
      {
        ...{ generation: 2, pid: 5, at: at(50), uptimeMs: 1, code: 1, signal: null, isCrash: true },
        ...{ reason: 'exit code 1', firstErrorLine: null, crashLog: null },
      },
    ];
    const { gateway } = await openRestarting([{ phase: 'backoff', active: null, workers: [], lastExits }]);
    const { code, stderr } = await gateway.run('restart', '--wait');
    expect(code).toBe(1);
    expect(stderr).toContain('no worker serves: exit code 1');
  });

  it('does not take the ends that an earlier gateway wrote down for its own', async () => {
    const lastExits = [
      {
        ...{ generation: 9, pid: 5, at: '2026-03-04T05:06:05.000Z', uptimeMs: 1, code: 0, signal: null },
        ...{ isCrash: false, reason: 'exit code 0', firstErrorLine: null, crashLog: null },
      },
    ];
    const { gateway } = await openRestarting([{ ...booting, lastExits }, serving(2, { lastExits })]);
    expect((await gateway.run('restart', '--wait')).code).toBe(0);
  });

  it('ends with 1 and a diagnosis when the time is up', async () => {
    const scene = await openRestarting([booting]);
    const { code, stderr } = await scene.gateway.run('restart', '--wait', '300ms');
    expect(code).toBe(1);
    for (const text of [
      'The restart was not complete after 300ms.',
      'State: restarting',
      `PIDs: supervisor ${process.pid}, worker 4321`,
      'Port: ',
      'xopc gateway logs',
    ])
      expect(stderr).toContain(text);
    expect(hasIntent(scene)).toBe(false);
  });

  it('is not content with a port that still answers as the old worker, or as another gateway', async () => {
    let generation = 1;
    let instanceId = INSTANCE;
    let isAsked = false;
    const port = await serveHttp(always(() => ({ status: 'healthy', version: '1', instanceId, generation })));
    const gateway = await openStandIn({
      port,
      status: () => (isAsked ? serving(2) : serving(1)),
      handle: {
        restart() {
          isAsked = true;
          return { generation: 2 };
        },
      },
    });
    const old = await gateway.run('restart', '--wait', '300ms');
    expect(old.code).toBe(1);
    expect(old.stdout).toContain(`Worker 2 serves; waiting for its answer on port ${port}`);
    generation = 2;
    instanceId = 'instance-b';
    isAsked = false;
    const strange = await gateway.run('restart', '--wait', '300ms');
    expect(strange.code).toBe(1);
    expect(strange.stderr).toContain('you reached instance instance-b');
  });

  it('ends with 1 when another gateway has taken the place', async () => {
    const { gateway } = await openRestarting([booting, serving(1, { instanceId: 'instance-b' })]);
    const { code, stderr } = await gateway.run('restart', '--wait');
    expect(code).toBe(1);
    expect(stderr).toContain('instance-b');
  });

  it('ends with 1 when the gateway is gone', async () => {
    const gateway: StandIn = await openStandIn({
      handle: {
        restart() {
          setTimeout(() => {
            gateway.lock?.release();
            gateway.close();
          }, 20);
          return { generation: 2 };
        },
      },
    });
    const { code, stderr } = await gateway.run('restart', '--wait');
    expect(code).toBe(1);
    expect(stderr).toContain('has ended instead of restarting');
  });
});
