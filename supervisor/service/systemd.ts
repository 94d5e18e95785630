import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../lib/env.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { readTextIfExists, removeFile } from '../../lib/fs.ts';
import type { Obstacle, ServiceFile, ServiceManager, ServiceRun } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { launcherPath, renderLauncher } from './launcher.ts';
import { runTool } from './run-tool.ts';
import { runSystemctl, systemctlLine } from './systemctl.ts';
import { parseUnit, renderSocket, renderUnit } from './systemd-unit.ts';
import { stopUnit } from './unit.ts';

export type SystemdOptions = {
  name: string;
  env: Environment;
  home: string;
  user: string;
  /** Where logind keeps who lives on; another folder in tests. */
  lingerDir?: string;
};

/** The user's own systemd. */
export function openSystemd({ name, env, home, user, lingerDir = LINGER_DIR }: SystemdOptions): ServiceManager {
  const folder = join(home, '.config', 'systemd', 'user');
  const mainFile = join(folder, `${name}.service`);
  const socketFile = join(folder, `${name}.socket`);
  const unit = { manager: 'systemd', unit: `${name}.service`, scope: 'user' } as const;
  const order = (args: readonly string[]): Promise<void> => runOrThrow(args, env);
  return {
    kind: 'systemd',
    mainFile,
    render: (definition) => renderUserFiles(definition, { mainFile, socketFile }),
    read() {
      const text = readTextIfExists(mainFile);
      return text === undefined ? undefined : { text, parsed: parseUnit(text) };
    },
    // Its link is what the manager follows; that can be seen without one, too.
    isEnabled: async () => isLink(join(folder, 'default.target.wants', `${name}.service`)),
    survivesLogout: () => (existsSync(join(lingerDir, user)) ? 'yes' : 'no'),
    findObstacle: () => findObstacle(env),
    async enable({ sockets }) {
      if (sockets.length === 0 && existsSync(socketFile)) {
        await runSystemctl('user', ['disable', '--now', `${name}.socket`], { env });
        removeFile(socketFile);
      }
      await order(['daemon-reload']);
      await order(['enable', `${name}.service`, ...(sockets.length > 0 ? [`${name}.socket`] : [])]);
    },
    async keepAfterLogout() {
      const { failure } = await runTool('loginctl', ['--no-ask-password', 'enable-linger'], { env });
      return failure;
    },
    async start() {
      // After too many failures in a row it would refuse.
      await runSystemctl('user', ['reset-failed', `${name}.service`], { env });
      await order(['start', '--no-block', `${name}.service`]);
    },
    async restart() {
      await runSystemctl('user', ['reset-failed', `${name}.service`], { env });
      await order(['restart', '--no-block', `${name}.service`]);
    },
    stop: (options) => stopUnit(unit, { env, ...options }),
    look: () => look(name, env),
    async remove() {
      await stopUnit(unit, { env, disable: true });
      removeFile(mainFile);
      removeFile(socketFile);
      await order(['daemon-reload']);
      await runSystemctl('user', ['reset-failed', `${name}.service`], { env });
    },
  };
}

const LINGER_DIR = '/var/lib/systemd/linger';

/** The unit for the manager of the machine, which only its administrator can install. */
export function renderSystemUnit(definition: ServiceDefinition): ServiceFile[] {
  const { name, sockets, serviceDir } = definition;
  const fileOf = (suffix: string): string => join('/etc/systemd/system', `${name}.${suffix}`);
  return [
    { path: launcherPath(serviceDir), content: renderLauncher() },
    { path: fileOf('service'), content: renderUnit(definition) },
    ...(sockets.length > 0 ? [{ path: fileOf('socket'), content: renderSocket(definition) }] : []),
  ];
}

function renderUserFiles(
  definition: ServiceDefinition,
  { mainFile, socketFile }: { mainFile: string; socketFile: string },
): ServiceFile[] {
  return [
    { path: launcherPath(definition.serviceDir), content: renderLauncher() },
    { path: mainFile, content: renderUnit(definition) },
    ...(definition.sockets.length > 0 ? [{ path: socketFile, content: renderSocket(definition) }] : []),
  ];
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function findObstacle(env: Environment): Promise<Obstacle | null> {
  const { failure } = await runSystemctl('user', ['show', '--property=Version'], { env });
  if (failure === null) return null;
  // The folder is what sd_booted(3) looks at.
  return { code: existsSync('/run/systemd/system') ? 'no-user-bus' : 'no-systemd', detail: failure };
}

async function runOrThrow(args: readonly string[], env: Environment): Promise<void> {
  const { failure } = await runSystemctl('user', args, { env });
  if (failure === null) return;
  throw new ExitError(EXIT.failure, `systemd refused: ${failure}`, {
    hint: `Run it by hand: ${systemctlLine('user', args).join(' ')}`,
  });
}

const PROPERTIES = ['ActiveState', 'SubState', 'Result', 'MainPID', 'ExecMainStatus'] as const;

async function look(name: string, env: Environment): Promise<ServiceRun> {
  const args = ['show', `--property=${PROPERTIES.join(',')}`, `${name}.service`];
  const { output, failure } = await runSystemctl('user', args, { env });
  if (failure !== null) return { state: 'unknown', pid: null, lastExitCode: null, detail: failure };
  return parseRun(output);
}

/** What `systemctl show` says of a service. */
export function parseRun(output: string): ServiceRun {
  const values = Object.fromEntries(
    output.split('\n').map((line) => [line.split('=', 1)[0], line.replace(/^[^=]*=/, '')]),
  );
  const { ActiveState = '', SubState = '', Result = '', MainPID = '0', ExecMainStatus = '' } = values;
  return {
    state: STATES[ActiveState] ?? 'unknown',
    pid: MainPID === '0' ? null : Number(MainPID),
    lastExitCode: ExecMainStatus === '' ? null : Number(ExecMainStatus),
    detail: `${ActiveState} (${SubState})${Result === 'success' ? '' : `, ${Result}`}`,
  };
}

const STATES: Readonly<Record<string, ServiceRun['state']>> = {
  active: 'running',
  reloading: 'running',
  activating: 'starting',
  deactivating: 'running',
  inactive: 'stopped',
  failed: 'given-up',
};
