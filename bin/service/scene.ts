import { existsSync } from 'node:fs';
import { networkInterfaces, userInfo } from 'node:os';
import { join } from 'node:path';
import { readEssentials } from '../../lib/config/essentials.ts';
import { readGeneratedToken } from '../../lib/credential.ts';
import type { Environment } from '../../lib/env.ts';
import { readEnvFile } from '../../lib/env-file.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { planBind } from '../../lib/net.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { VERSION } from '../../lib/version.ts';
import type { InstalledService, Obstacle, ServiceManager } from '../../supervisor/service/contract.ts';
import {
  defineService,
  envFileOf,
  type ServiceDefinition,
  type ServiceScope,
  serviceName,
} from '../../supervisor/service/definition.ts';
import { openServiceManager } from '../../supervisor/service/open.ts';
import type { CommandContext } from '../context.ts';
import { type ServiceMessages, serviceEn } from '../messages/service-en.ts';
import { serviceZh } from '../messages/service-zh.ts';
import { type Language, type Output, type Speak, speakFrom } from '../output.ts';

/** What a person may choose for a service. */
export type Choices = { port?: number; bind?: string; hasSocket: boolean; scope: ServiceScope };

/** Everything that the commands about the service of one configuration work with. */
export type ServiceScene = {
  paths: Paths;
  env: Environment;
  text: Speak<keyof ServiceMessages>;
  name: string;
  /** The account that is asking. */
  user: string;
  serviceDir: string;
  /** Undefined on an operating system whose services we do not know. */
  manager: ServiceManager | undefined;
  /** The variables that the service will have: none of this shell's. */
  serviceEnv(): Environment;
  /** The token of the configuration and its files, whatever a service may have a copy of; undefined when none counts. */
  configuredToken(): string | undefined;
  define(choices: Choices): ServiceDefinition;
  /** The definition that this program would have written with the choices of an installed one. */
  expect(installed: InstalledService): ServiceDefinition;
};

type Asking = Pick<CommandContext, 'env' | 'configFlag'> & { output: Pick<Output, 'language'> };

/** Looks up the service that belongs to the configuration of a command. Changes nothing. */
export function openServiceScene({ env, output, configFlag }: Asking): ServiceScene {
  const paths = resolvePaths(env, configFlag);
  const account = userInfo();
  const home = env['HOME'] ?? account.homedir;
  const usualConfigPath = resolvePaths({ HOME: home }).configPath;
  const name = serviceName(paths.configPath, usualConfigPath);
  const { serviceDir } = paths;
  const user = process.platform === 'win32' ? windowsAccount(env, account.username) : account.username;
  const serviceEnv = (): Environment => ({ HOME: home, ...readVariables(envFileOf(serviceDir)) });
  const define = (choices: Choices): ServiceDefinition => {
    const { port, bind, drainTimeoutMs } = settingsOf(paths, serviceEnv(), choices);
    return defineService({
      ...{ paths, usualConfigPath, user, home, version: VERSION, drainTimeoutMs },
      ...{ scope: choices.scope, port: choices.port, bind: choices.bind },
      node: process.execPath,
      entry: join(import.meta.dirname, 'xopc.js'),
      hasNotify: NOTIFY_PLACES.some((path) => existsSync(path)),
      sockets: choices.hasSocket ? listSockets(bind, port) : [],
    });
  };
  return {
    ...{ paths, env, name, user, serviceDir, serviceEnv, define },
    text: speakFrom<keyof ServiceMessages>(CATALOGUES[output.language]),
    manager: openServiceManager({ name, env, home, user, serviceDir }),
    configuredToken() {
      const { XOPC_GATEWAY_TOKEN: _copy, ...variables } = serviceEnv();
      const { authMode, secret } = readEssentials(paths.configPath, variables);
      return authMode === 'token' ? (secret ?? readGeneratedToken(paths.tokenFile)) : undefined;
    },
    expect(installed) {
      const definition = define({ ...readChoices(installed), hasSocket: installed.hasSocket, scope: 'user' });
      return { ...definition, node: installed.node, entry: installed.entry };
    },
  };
}

const CATALOGUES: Readonly<Record<Language, ServiceMessages>> = { en: serviceEn, zh: serviceZh };

/** A service has the system's PATH, so `systemd-notify` must be in one of its folders. */
const NOTIFY_PLACES = ['/usr/bin/systemd-notify', '/bin/systemd-notify', '/usr/local/bin/systemd-notify'];

/** The manager of this machine. Throws an `ExitError` 1 that names the other ways where this user cannot have a service. */
export async function usableManager({ manager, text, user, name }: ServiceScene): Promise<ServiceManager> {
  if (manager === undefined) throw new ExitError(EXIT.failure, text('noManager'), { hint: text('noManagerHint') });
  const obstacle = await manager.findObstacle();
  if (obstacle === null) return manager;
  const { message, hint } = OBSTACLES[obstacle.code];
  throw new ExitError(EXIT.failure, text(message, { detail: obstacle.detail }), {
    hint: text(hint, { user, name, uid: process.getuid?.() ?? '' }),
  });
}

const OBSTACLES: Readonly<Record<Obstacle['code'], { message: keyof ServiceMessages; hint: keyof ServiceMessages }>> = {
  'no-systemd': { message: 'noSystemd', hint: 'noSystemdHint' },
  'no-user-bus': { message: 'noUserBus', hint: 'noUserBusHint' },
  'no-desktop': { message: 'noDesktop', hint: 'noDesktopHint' },
  'no-scheduler': { message: 'noScheduler', hint: 'noSchedulerHint' },
};

function windowsAccount(env: Environment, name: string): string {
  const domain = env['USERDOMAIN'];
  return domain === undefined ? name : `${domain}\\${name}`;
}

/** What the file holds; a missing one holds nothing, and of a broken one the gateway says so. */
function readVariables(path: string): Environment {
  return existsSync(path) ? readEnvFile(path).values : {};
}

type Settings = { port: number; bind: { mode: string; hosts: readonly string[] }; drainTimeoutMs: number };

function settingsOf(paths: Paths, env: Environment, { port, bind }: Choices): Settings {
  const overrides = { ...(port === undefined ? {} : { port }), ...(bind === undefined ? {} : { bind }) };
  const found = readEssentials(paths.configPath, env, overrides);
  const { mode, customHost } = found.bind;
  const { hosts } = planBind(mode, customHost, env);
  return { port: found.port, bind: { mode, hosts }, drainTimeoutMs: found.drainTimeoutMs };
}

function listSockets({ hosts }: Settings['bind'], port: number): string[] {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
  // Without IPv6 the manager could not open ::1, and would open nothing.
  const usable = hosts.filter((host) => host !== '::1' || own.has(host));
  return usable.map((host) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`));
}

function readChoices({ args }: InstalledService): Pick<Choices, 'port' | 'bind'> {
  const optionOf = (flag: string): string | undefined =>
    args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined;
  const port = optionOf('--port');
  const bind = optionOf('--bind');
  return { ...(port === undefined ? {} : { port: Number(port) }), ...(bind === undefined ? {} : { bind }) };
}
