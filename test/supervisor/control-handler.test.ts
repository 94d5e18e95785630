import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../lib/env.ts';
import type { WorkerOverrides } from '../../lib/ipc.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { type ControlHandler, ControlRefusal } from '../../supervisor/control.ts';
import { createControlHandler } from '../../supervisor/control-handler.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { fetchWorker, untilServedBy } from './http-load.ts';
import { type LoopScene, openLoopScene, untilActive } from './loop-scene.ts';

const GENERATED = 'canary0123456789abcdef0123456789abcdef';

describe('the supervisor, asked on its control socket', () => {
  it('for its status, says what the run loop says', async () => {
    const { handle, scene } = await openServing();
    expect(await handle.status({ do: 'status' })).toMatchObject({
      ...{ phase: 'running', active: 1, port: scene.port, instanceId: scene.loop.status().instanceId },
    });
  });

  it('for a report, writes it to the log and answers with it', async () => {
    const { handle, scene } = await openServing();
    expect(await handle.report({ do: 'report' })).toMatchObject({ state: { active: 1 }, status: { phase: 'running' } });
    expect(scene.records.filter(({ msg }) => msg === 'Diagnostic report.')).toHaveLength(1);
  });

  it('to stop, says that it has begun', async () => {
    const { handle, scene } = await openServing();
    expect(await handle.stop({ do: 'stop' })).toEqual({ phase: 'draining' });
    expect(await scene.loop.done).toEqual({ exitCode: 0, failure: null });
  });

  it('to stop a second time, ends at once', async () => {
    const { handle, scene } = await openServing('ignore-drain');
    await handle.stop({ do: 'stop' });
    await handle.stop({ do: 'stop' });
    expect(await scene.loop.done).toEqual({ exitCode: 143, failure: null });
  });
});

describe('a restart on the control socket', () => {
  it('is answered with the generation that boots', async () => {
    const { handle, scene } = await openServing();
    const answer = await handle.restart({ do: 'restart', force: false, reason: 'an update' });
    expect(answer).toEqual({ generation: 2 });
    await untilServedBy(scene.port, 2);
    expect(scene.records.find(({ msg }) => msg === 'Restart requested.')).toMatchObject({ reason: 'an update' });
  });

  it('that has to wait for another one is answered without a generation', async () => {
    const scene = await openLoopScene();
    const handle = createControlHandler(optionsOf(scene.home), scene.loop);
    expect(await handle.restart({ do: 'restart', force: false, reason: 'too early' })).toEqual({ generation: null });
  });

  it('is refused with the way out when the configuration forbids it', async () => {
    const { handle, scene } = await openServing();
    scene.essentials.allowsRestart = false;
    const refused = catchRefusal(() => handle.restart({ do: 'restart', force: true, reason: 'an update' }));
    expect(refused.message).toContain('commands.restart is false');
    expect(refused.hint).toBe('Set commands.restart to true, or stop and start the gateway.');
    expect(await fetchWorker(scene.port)).toMatchObject({ generation: 1 });
  });

  it('is refused while the gateway stops: whoever waits for it would wait in vain', async () => {
    const { handle, scene } = await openServing('ignore-drain');
    scene.loop.stop('SIGTERM');
    const refused = catchRefusal(() => handle.restart({ do: 'restart', force: false, reason: 'an update' }));
    expect(refused).toMatchObject({
      message: 'The gateway is stopping.',
      hint: 'Start it again once it has ended.',
    });
  });
});

describe('the credential', () => {
  it('is the one of the configuration, whatever was generated before', async () => {
    const ask = await openToken({ gateway: { auth: { mode: 'token', token: 'from-the-file' } } });
    expect(await ask()).toEqual({ authMode: 'token', token: 'from-the-file' });
  });

  it('is the generated one when the configuration has none', async () => {
    expect(await (await openToken({}))()).toEqual({ authMode: 'token', token: GENERATED });
  });

  it('is nothing when none was generated yet', async () => {
    expect(await (await openToken({}, { isGenerated: false }))()).toEqual({ authMode: 'token', token: null });
  });

  it('is the password in that mode, and never the generated token', async () => {
    const config = { gateway: { auth: { mode: 'password', password: 'a-password' } } };
    expect(await (await openToken(config))()).toEqual({ authMode: 'password', token: 'a-password' });
    const unset = { gateway: { auth: { mode: 'password' } } };
    expect(await (await openToken(unset))()).toEqual({ authMode: 'password', token: null });
  });

  it('is none where none is asked for', async () => {
    const config = { gateway: { auth: { mode: 'none', token: 'unused' } } };
    expect(await (await openToken(config))()).toEqual({ authMode: 'none', token: null });
  });

  it('is the one of the command line before that of the file', async () => {
    const config = { gateway: { auth: { mode: 'token', token: 'from-the-file' } } };
    const ask = await openToken(config, { overrides: { token: 'from-the-command' } });
    expect(await ask()).toEqual({ authMode: 'token', token: 'from-the-command' });
  });

  it('is read anew each time', async () => {
    const home = temporaryDirectory();
    const { loop } = await openLoopScene();
    const handle = createControlHandler(optionsOf(home), loop);
    for (const token of ['first', 'second']) {
      writeFileSync(join(home, 'xopc.json'), JSON.stringify({ gateway: { auth: { mode: 'token', token } } }));
      expect(await handle.token({ do: 'token' })).toEqual({ authMode: 'token', token });
    }
  });
});

type HandlerOptions = Parameters<typeof createControlHandler>[0];

function optionsOf(home: string, overrides: WorkerOverrides = {}): HandlerOptions {
  const env: Environment = { XOPC_HOME: home, HOME: home };
  return { paths: resolvePaths(env), env, overrides };
}

async function openServing(mode = 'serve'): Promise<{ handle: ControlHandler; scene: LoopScene }> {
  const scene = await openLoopScene();
  scene.setMode(mode);
  scene.loop.start();
  await untilActive(scene);
  return { handle: createControlHandler(optionsOf(scene.home), scene.loop), scene };
}

/** A function that asks for the credential, with that configuration and perhaps a generated token. */
async function openToken(
  config: object,
  { isGenerated = true, overrides = {} }: { isGenerated?: boolean; overrides?: WorkerOverrides } = {},
): Promise<() => Promise<unknown>> {
  const options = optionsOf(temporaryDirectory(), overrides);
  writeFileSync(options.paths.configPath, JSON.stringify(config));
  if (isGenerated) {
    mkdirSync(dirname(options.paths.tokenFile), { recursive: true });
    writeFileSync(options.paths.tokenFile, `${GENERATED}\n`, { mode: 0o600 });
  }
  const { loop } = await openLoopScene();
  const handle = createControlHandler(options, loop);
  return async () => handle.token({ do: 'token' });
}

function catchRefusal(act: () => unknown): ControlRefusal {
  try {
    act();
  } catch (error) {
    if (error instanceof ControlRefusal) return error;
    throw error;
  }
  throw new Error('It was not refused');
}
