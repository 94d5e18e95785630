import { readFileSync } from 'node:fs';
import type { Environment } from '../../lib/env.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { ServiceScope } from './definition.ts';
import { runSystemctl, systemctlLine } from './systemctl.ts';

/** The unit of a service manager that runs a process, and whose manager that is. */
export type ServiceUnit = { manager: 'systemd'; unit: string; scope: ServiceScope };

export type StopUnitOptions = {
  env: Environment;
  /** Also keeps it from being started at the next log-in or boot. */
  disable: boolean;
  /** How long the manager may take; default 2 min, since a unit may allow a stop more time than we would. */
  timeoutMs?: number;
};

const STOP_MS = 120_000;
const ASK_MS = 5_000;

/**
 * The systemd unit whose main process this is, whoever wrote it. Undefined for any other process, also for one that was
 * started by hand within a service, such as the terminal of an editor's server: that service is none of ours to stop.
 */
export async function findServiceUnit(pid: number, env: Environment): Promise<ServiceUnit | undefined> {
  const unit = parseCgroup(readProcFile(pid, 'cgroup'));
  if (unit === undefined) return undefined;
  const mainPid = parseExecPid(readProcFile(pid, 'environ')) ?? Number(await readProperty(unit, 'MainPID', env));
  return mainPid === pid ? unit : undefined;
}

/**
 * The service that the text of `/proc/PID/cgroup` names, with cgroups of version 1, 2 or both. Undefined for a log-in, for a
 * scope such as that of a container, and for the user manager itself.
 */
export function parseCgroup(text: string): ServiceUnit | undefined {
  // Where both versions are there, systemd uses one of them and the other shows the root.
  return parsePath(/^0::(.*)$/m.exec(text)?.[1]) ?? parsePath(/^\d+:name=systemd:(.*)$/m.exec(text)?.[1]);
}

function parsePath(path = ''): ServiceUnit | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const manager = parts.findLastIndex((part) => /^user@\d+\.service$/.test(part));
  // Slices only group units, and what lies below a unit is its own affair.
  const unit = parts.slice(manager + 1).find((part) => !part.endsWith('.slice'));
  if (unit?.endsWith('.service') !== true) return undefined;
  // systemd puts an underscore before a name that the kernel could take for one of its files.
  return { manager: 'systemd', unit: unit.replace(/^_/, ''), scope: manager < 0 ? 'system' : 'user' };
}

/** The pid that systemd started a service with, as it tells that process in `/proc/PID/environ` since version 248; undefined when it does not. */
export function parseExecPid(environ: string): number | undefined {
  const value = /(?:^|\0)SYSTEMD_EXEC_PID=(\d+)(?:\0|$)/.exec(environ)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** True when the manager knows the unit, running or not. False also when there is no manager to ask. */
export async function isUnitLoaded(unit: ServiceUnit, env: Environment): Promise<boolean> {
  return (await readProperty(unit, 'LoadState', env)) === 'loaded';
}

/**
 * Stops a service, and the sockets that would start it again with the next connection; returns when it is gone. Throws an
 * `ExitError` 1 with the manager's words and the command to run by hand.
 */
export async function stopUnit(
  unit: ServiceUnit,
  { env, disable, timeoutMs = STOP_MS }: StopUnitOptions,
): Promise<void> {
  const triggers = (await readProperty(unit, 'TriggeredBy', env)) ?? '';
  const sockets = triggers.split(' ').filter((name) => name.endsWith('.socket'));
  const args = [...(disable ? ['disable', '--now'] : ['stop']), ...sockets, unit.unit];
  const { failure } = await runSystemctl(unit.scope, args, { env, timeoutMs });
  if (failure === null) return;
  const byHand = [...(unit.scope === 'system' ? ['sudo'] : []), ...systemctlLine(unit.scope, args)].join(' ');
  throw new ExitError(EXIT.failure, `systemd did not stop ${unit.unit}: ${failure}`, {
    hint: `Run it by hand: ${byHand}`,
  });
}

async function readProperty(unit: ServiceUnit, name: string, env: Environment): Promise<string | undefined> {
  const args = ['show', '--value', `--property=${name}`, unit.unit];
  const { failure, output } = await runSystemctl(unit.scope, args, { env, timeoutMs: ASK_MS });
  return failure === null ? output.trim() : undefined;
}

/** Empty when the process is gone, belongs to somebody else, or there is no `/proc`. */
function readProcFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
