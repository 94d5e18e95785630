import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupervisorStatus } from '../../lib/control.ts';
import { callControl } from '../../lib/control-client.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { startLoad } from '../supervisor/http-load.ts';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

function askStatus({ home }: Gateway): Promise<SupervisorStatus> {
  return callControl(resolvePaths({ XOPC_HOME: home.stateDir, HOME: home.path }).controlSocket, { do: 'status' });
}

async function untilPhase(gateway: Gateway, phase: string): Promise<SupervisorStatus> {
  return eventually(`the phase ${phase}`, async () => {
    const status = await askStatus(gateway);
    return status.phase === phase ? status : undefined;
  });
}

async function warmStandby(gateway: Gateway): Promise<number> {
  return eventually('a warm standby', async () => {
    const { workers } = await askStatus(gateway);
    return workers.find(({ stage }) => stage === 'warm')?.pid ?? undefined;
  });
}

async function ask(gateway: Gateway, message: string): Promise<string> {
  const { status, body } = await gateway.request('/api/agent', { method: 'POST', body: { message } });
  expect(status).toBe(200);
  return String((body as { reply?: string }).reply);
}

describe('a standby', () => {
  it('takes over from a killed worker, answers, and delivers to Telegram', async () => {
    const bot = await world.createBot();
    const gateway = await startGateway({ config: world.configure(bot, {}, { gateway: { standby: true } }) });
    const standbyPid = await warmStandby(gateway);
    const load = startLoad(gateway.port, 10, '/health');
    const killedAt = Date.now();
    const pid = gateway.workerPid();
    await gateway.kill('worker');
    expect(await gateway.nextWorker(pid)).toBe(standbyPid);
    expect(Date.now() - killedAt).toBeLessThan(3_000);
    const { failures } = await load.stop();
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED') || failure.includes('503'))).toEqual([]);
    expect(await ask(gateway, 'still there?')).toBe('echo: still there?');
    await bot.say(21, 'and here?');
    expect(await bot.texts(21, 1)).toEqual(['echo: and here?']);
    expect(await warmStandby(gateway)).not.toBe(standbyPid);
  });
});

describe('safe mode', () => {
  it('serves HTTP without the channels, says so, and is left by the command', async () => {
    const bot = await world.createBot();
    const gateway = await startGateway({ config: world.configure(bot, {}, { gateway: { crashLimit: 1 } }) });
    await gateway.kill('worker');
    const status = await untilPhase(gateway, 'safe-mode');
    expect(status.lastExits[0]).toMatchObject({ signal: 'SIGKILL', isCrash: true });
    expect(await ask(gateway, 'in safe mode')).toBe('echo: in safe mode');
    await bot.say(31, 'is anybody there?');
    const shown = await runXopc(gateway.home, ['gateway', 'status', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      running: true,
      state: 'safe-mode',
      channels: [{ id: 'webchat' }],
    });
    expect(await bot.answers(31)).toEqual([]);
    const restarted = await runXopc(gateway.home, ['gateway', 'restart', '--wait', '--json']);
    expect(restarted).toMatchObject({ code: 0 });
    expect(await untilPhase(gateway, 'running')).toMatchObject({ crashes: { recent: 0 } });
    // Nothing was lost meanwhile: the platform kept it.
    expect(await bot.texts(31, 1)).toEqual(['echo: is anybody there?']);
  });
});

describe('with XOPC_NO_RESPAWN', () => {
  it('a restart reads the configuration again in the same process', async () => {
    const gateway = await startGateway({ config: world.configure(), env: { XOPC_NO_RESPAWN: '1' } });
    const pid = gateway.workerPid();
    expect(await ask(gateway, 'before')).toBe('echo: before');
    gateway.home.configure({ gateway: { port: gateway.port } });
    gateway.signal('SIGUSR1');
    await eventually('the rebuilt worker', async () =>
      (await ask(gateway, 'who are you?')).includes('built-in assistant'),
    );
    expect(gateway.workerPid()).toBe(pid);
    expect(await askStatus(gateway)).toMatchObject({ phase: 'running', active: 1, restartFailure: null });
  });

  it('a restart with a broken configuration changes nothing and says why', async () => {
    const gateway = await startGateway({ config: world.configure(), env: { XOPC_NO_RESPAWN: '1' } });
    gateway.home.configure('{ "gateway": { "port": "many" } }');
    gateway.signal('SIGUSR1');
    const { restartFailure } = await eventually('the refusal', async () => {
      const status = await askStatus(gateway);
      return status.restartFailure === null ? undefined : status;
    });
    expect(restartFailure).toContain('gateway.port');
    expect(await ask(gateway, 'still here')).toBe('echo: still here');
  });
});

describe('a worker that hangs', () => {
  it('is replaced, and what it had begun is answered once', async () => {
    const bot = await world.createBot();
    const config = world.configure(bot, {}, { gateway: { hangTimeout: '3s' } });
    const gateway = await startGateway({ config });
    const pid = gateway.workerPid();
    await bot.say(41, '[[delay=600]] think');
    await eventually('the running turn', async () =>
      (await world.llm.calls()).some(({ outcome }) => outcome === 'pending'),
    );
    process.kill(pid, 'SIGSTOP');
    await gateway.nextWorker(pid);
    expect(await ask(gateway, 'hello')).toBe('echo: hello');
    await eventually('the end of the stopped worker', () => !isRunning(pid));
    expect((await bot.texts(41, 1)).map((text) => text.replace(/^.*echo/s, 'echo'))).toEqual(['echo: think']);
    const { lastExits } = await askStatus(gateway);
    expect(lastExits[0]?.reason).toContain('hung');
  });
});

describe('a restart that is asked for while a turn runs', () => {
  it('happens once and does not wait for the turn, which is answered', async () => {
    const bot = await world.createBot();
    const gateway = await startGateway({ config: world.configure(bot) });
    await bot.say(51, '[[delay=2500]] please restart yourself');
    await eventually('the running turn', async () =>
      (await world.llm.calls()).some(({ outcome }) => outcome === 'pending'),
    );
    const restarted = await runXopc(gateway.home, ['gateway', 'restart', '--wait', '20s', '--json']);
    expect(restarted.code).toBe(0);
    expect(restarted.ms).toBeLessThan(2_500);
    expect(await bot.answers(51)).toEqual([]);
    expect(await bot.texts(51, 1)).toEqual(['echo: please restart yourself']);
    expect(await askStatus(gateway)).toMatchObject({ active: 2, crashes: { recent: 0 } });
  });
});
