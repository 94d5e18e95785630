import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../lib/duration.ts';
import { ExitError, errorCode } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { inspectLock } from '../../supervisor/lock-inspect.ts';
import { type Endpoint, findEndpoint } from '../client.ts';
import type { CommandContext } from '../context.ts';

/** `xopc gateway stop`: exit 0 only when the process is gone and its port refuses (STOP-1), also when nothing ran. */
export async function stopGateway(
  { env, output, configFlag }: CommandContext,
  options: Record<string, unknown>,
): Promise<number> {
  const timeout = String(options['timeout'] ?? '30s');
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, output.text('badDuration', { value: timeout }));
  const paths = resolvePaths(env, configFlag);
  const endpoint = await findEndpoint(paths, env);
  const lock = await inspectLock(paths.lockFile);
  const isJson = options['json'] === true;
  if (lock.state !== 'held' || lock.owner === null) {
    if (isJson) output.json({ ok: true, result: 'not-running' });
    else output.headline('⚪', output.text('notRunning'));
    return EXIT.ok;
  }
  if (lock.reason !== 'alive') throw new ExitError(EXIT.failure, output.text('foreignLock'));
  const { pid } = lock.owner;
  if (!isJson) output.line(output.text('stopping', { pid }));
  signal(pid);
  const isGone = await waitUntilGone(paths.lockFile, endpoint, timeoutMs);
  if (!isGone)
    throw new ExitError(EXIT.failure, output.text('stopTimeout', { pid, timeout }), {
      hint: output.text('stopTimeoutHint', { pid }),
    });
  if (isJson) output.json({ ok: true, result: 'stopped', pid });
  else output.headline('✅', output.text('stopped'));
  return EXIT.ok;
}

/** The pid was verified by its start time a moment ago; one that is gone by now is what we want. */
function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function waitUntilGone(lockFile: string, endpoint: Endpoint, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const lock = await inspectLock(lockFile);
    if (lock.state !== 'held' && !(await accepts(endpoint))) return true;
    await sleep(50);
  }
  return false;
}

function accepts({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', finish(true));
    socket.once('error', finish(false));
    socket.setTimeout(1_000, finish(true));
  });
}
