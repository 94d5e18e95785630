import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { Paths } from '../../lib/paths.ts';

/** Whose manager runs the service: that of one user, or that of the machine. */
export type ServiceScope = 'user' | 'system';

/** All that a service is made of. It holds no secret: whoever may read a unit learns nothing from it (TOK-1). */
export type ServiceDefinition = {
  /** `xopc-gateway`; with a part of the hash of its configuration's path when that is not the usual one. */
  name: string;
  scope: ServiceScope;
  /** The account that it runs as, with its home. */
  user: string;
  home: string;
  version: string;
  /** Node.js and the program, absolute. */
  node: string;
  entry: string;
  /** What follows the program, beginning with `gateway`. */
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  stateDir: string;
  serviceDir: string;
  logsDir: string;
  /** How long an orderly end may take. */
  stopTimeoutMs: number;
  /** False when `systemd-notify` is missing: then the manager is told nothing. */
  hasNotify: boolean;
  /** Addresses that the service manager listens on for us, as `ListenStream=` writes them; none: we listen ourselves. */
  sockets: readonly string[];
};

/** What a person may choose, and what is known of the place. */
export type DefinitionOptions = {
  paths: Paths;
  usualConfigPath: string;
  scope: ServiceScope;
  user: string;
  home: string;
  version: string;
  node: string;
  entry: string;
  port: number | undefined;
  bind: string | undefined;
  drainTimeoutMs: number;
  hasNotify: boolean;
  sockets: readonly string[];
};

/** After the drain: requests get 5 s, the processes some more. */
const STOP_MARGIN_MS = 15_000;

/** Plans the service of one instance. Throws an `ExitError` 78 for a path that no service file can hold. */
export function defineService(options: DefinitionOptions): ServiceDefinition {
  const { paths, port, bind, drainTimeoutMs, ...known } = options;
  const { serviceDir } = paths;
  const definition: ServiceDefinition = {
    ...{ scope: known.scope, user: known.user, home: known.home, version: known.version },
    ...{ node: known.node, entry: known.entry, hasNotify: known.hasNotify, sockets: known.sockets },
    name: serviceName(paths.configPath, known.usualConfigPath),
    args: [
      ...['gateway', '--config', paths.configPath, '--env-file', envFileOf(serviceDir)],
      ...(port === undefined ? [] : ['--port', String(port)]),
      ...(bind === undefined ? [] : ['--bind', bind]),
    ],
    environment: {
      XOPC_HOME: dirname(paths.locksDir),
      XOPC_STATE_DIR: paths.stateDir,
      XOPC_SERVICE_VERSION: known.version,
      // One log, which `xopc gateway logs` shows; the manager's own gets what a dying process says.
      XOPC_LOG_CONSOLE: 'false',
    },
    stateDir: paths.stateDir,
    serviceDir,
    logsDir: paths.logsDir,
    stopTimeoutMs: drainTimeoutMs + STOP_MARGIN_MS,
  };
  for (const text of [definition.node, definition.entry, definition.home, paths.configPath, paths.stateDir]) {
    if (/\p{Cc}/u.test(text)) {
      throw new ExitError(
        EXIT.config,
        `A path holds a control character, which no service file can: ${JSON.stringify(text)}`,
        {
          hint: 'Move it to a folder with a plain name.',
        },
      );
    }
  }
  return definition;
}

/** The name of the service of a configuration; two configurations never share one. */
export function serviceName(configPath: string, usualConfigPath: string): string {
  if (configPath === usualConfigPath) return 'xopc-gateway';
  return `xopc-gateway-${createHash('sha256').update(configPath).digest('hex').slice(0, 8)}`;
}

/** The file of variables that the service reads, for the owner only. */
export function envFileOf(serviceDir: string): string {
  return join(serviceDir, 'gateway.env');
}
