import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../lib/duration.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { readStartTime } from '../../supervisor/process-identity.ts';
import type { CommandContext } from '../context.ts';
import {
  askStatus,
  type Endpoint,
  endpointOf,
  findInstance,
  type Identity,
  type Instance,
  identityOf,
  isInside,
  isRunning,
} from '../instance.ts';
import type { Output } from '../output.ts';
import { openProgress } from '../progress.ts';
import { type Ending, waitForEnd } from '../stop/ending.ts';
import { requestStop } from '../stop/request.ts';
import { findIdleService, findService } from '../stop/service.ts';

type StopOptions = { timeout: string; timeoutMs: number; isDisabling: boolean; isJson: boolean };

/** A gateway that is being stopped, and for whom. */
type Scene = {
  paths: Paths;
  output: Output;
  options: StopOptions;
  identity: Identity;
  endpoint: Endpoint;
};

/** How long the supervisor may take to say who it is, in milliseconds. */
const ANSWER_MS = 2_000;
/** After which time a person is told what we wait for, and how often we look whether that has changed. */
const PATIENCE_MS = 1_000;
/** How long the supervisor may take to say what it is busy with. */
const DETAIL_MS = 500;
const POLL_MS = 50;

/** `xopc gateway stop`: exit 0 only when the process is gone and its port refuses (STOP-1), also when nothing ran. */
export async function stopGateway(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { env, output, configFlag } = context;
  const options = readOptions(given, output);
  const paths = resolvePaths(env, configFlag);
  const instance = await findInstance(paths, ANSWER_MS);
  if (!isRunning(instance)) return stopIdle(context, paths, options);
  const identity = await identify(instance);
  const scene = { paths, output, options, identity, endpoint: endpointOf(instance, paths, env) };
  const { pid } = identity;
  if (!options.isJson) output.line(output.text('stopping', { pid: pid ?? '?' }));
  const service = await findService(identity, instance, context);
  const { isDisabling, timeoutMs } = options;
  const request = requestStop({ paths, output, instance, service, isDisabling, timeoutMs });
  if (isInside(env, identity)) {
    await (service === undefined ? request : Promise.race([request, waitForBegin(instance, paths)]));
    return report('accepted', options, { output, pid, hasService: service !== undefined });
  }
  const ending = await Promise.race([waitVisibly(scene), onlyFailure(request)]);
  if (ending.t !== 'gone') throw await explain(ending, scene);
  await request;
  const hasService = service !== undefined || (isDisabling && (await disableIdle(context, paths, options)));
  return report('stopped', options, { output, pid, hasService });
}

/** Nothing runs, but a service may be about to start it again. */
async function stopIdle(context: CommandContext, paths: Paths, options: StopOptions): Promise<number> {
  const { output } = context;
  const service = existsSync(paths.serviceDir) ? await findIdleService(context) : undefined;
  const isComing = service?.isComing === true;
  if (isComing || options.isDisabling)
    await service?.stop({ disable: options.isDisabling, timeoutMs: options.timeoutMs });
  return report(isComing ? 'stopped' : 'not-running', options, { output, hasService: service !== undefined });
}

/** The gateway was started by hand; its service is there all the same. */
async function disableIdle(context: CommandContext, paths: Paths, { timeoutMs }: StopOptions): Promise<boolean> {
  const service = existsSync(paths.serviceDir) ? await findIdleService(context) : undefined;
  await service?.stop({ disable: true, timeoutMs });
  return service !== undefined;
}

function readOptions(given: Record<string, unknown>, output: Output): StopOptions {
  const timeout = String(given['timeout'] ?? '30s');
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, output.text('badDuration', { value: timeout }));
  return { timeout, timeoutMs, isDisabling: given['disable'] === true, isJson: given['json'] === true };
}

/** Without a lock file nobody has written down when the process started. */
async function identify(instance: Instance): Promise<Identity> {
  const identity = identityOf(instance);
  if (identity.startTime !== null || identity.pid === null || !identity.isLocal) return identity;
  return { ...identity, startTime: await readStartTime(identity.pid) };
}

type Result = 'not-running' | 'accepted' | 'stopped';

function report(
  result: Result,
  { isJson, isDisabling }: StopOptions,
  { output, pid, hasService = false }: { output: Output; pid?: number | null; hasService?: boolean },
): number {
  if (isJson) {
    const extra = { ...(pid === undefined ? {} : { pid }), ...(isDisabling ? { disabled: hasService } : {}) };
    output.json({ ok: true, result, ...extra });
    return EXIT.ok;
  }
  const { sign, key } = OUTCOMES[result];
  output.headline(sign, output.text(key));
  if (isDisabling) output.line(output.text(hasService ? 'disabled' : 'noService'));
  return EXIT.ok;
}

const OUTCOMES = {
  'not-running': { sign: '⚪', key: 'notRunning' },
  accepted: { sign: '✅', key: 'stopAccepted' },
  stopped: { sign: '✅', key: 'stopped' },
} as const;

/** A service manager tells only of the end. What runs inside would wait for itself. */
async function waitForBegin({ status: before }: Instance, paths: Paths): Promise<void> {
  for (;;) {
    const status = await askStatus(paths, ANSWER_MS);
    const isSilenced = before !== undefined && status === undefined;
    if (isSilenced || status?.phase === 'draining' || status?.phase === 'stopped') return;
    await sleep(POLL_MS);
  }
}

/** Waits for the end, and tells a person who has to wait what for. */
async function waitVisibly({ paths, output, options, identity, endpoint }: Scene): Promise<Ending> {
  const progress = openProgress(output, options.isJson);
  let nextLook = Date.now() + PATIENCE_MS;
  const ending = await waitForEnd({
    ...{ paths, endpoint, identity, timeoutMs: options.timeoutMs },
    async onWait() {
      if (options.isJson || Date.now() < nextLook) return;
      progress.step(await describeWait(paths, output));
      nextLook = Date.now() + PATIENCE_MS;
    },
  });
  progress.end(ending.t === 'gone');
  return ending;
}

async function describeWait(paths: Paths, output: Output): Promise<string> {
  const status = await askStatus(paths, DETAIL_MS);
  const beats = (status?.workers ?? []).flatMap(({ heartbeat }) => heartbeat ?? []);
  const turns = beats.reduce((sum, beat) => sum + beat.turns, 0);
  const requests = beats.reduce((sum, beat) => sum + beat.requests, 0);
  return turns + requests === 0 ? output.text('waitingForEnd') : output.text('finishingWork', { turns, requests });
}

/** Rejects as the request does, and never resolves. */
function onlyFailure(request: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => {
    request.catch(reject);
  });
}

async function explain(
  ending: Exclude<Ending, { t: 'gone' }>,
  { identity, options, output, endpoint }: Scene,
): Promise<ExitError> {
  const { timeout } = options;
  const pid = identity.pid ?? '?';
  switch (ending.t) {
    case 'replaced':
      return new ExitError(EXIT.failure, output.text('stopReplaced', { pid: ending.pid }), {
        hint: output.text('stopReplacedHint'),
      });
    case 'alive':
      return new ExitError(EXIT.failure, output.text('stopTimeout', { pid, timeout }), {
        hint: output.text('stopTimeoutHint', { pid }),
      });
    case 'port': {
      const { findSocketHolders, readListeningSockets } = await import('../../supervisor/listening-sockets.ts');
      const holders = findSocketHolders(readListeningSockets(endpoint.port)).join(', ');
      return new ExitError(
        EXIT.failure,
        output.text('stopPortOpen', { port: endpoint.port, pid: holders === '' ? '?' : holders }),
        { hint: output.text('stopPortOpenHint') },
      );
    }
    default:
      return ending satisfies never;
  }
}
