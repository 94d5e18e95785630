import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Environment } from './env.ts';

/** Where one instance keeps its files (SPEC 2). All paths are absolute. */
export type Paths = {
  /** The configuration file with symbolic links resolved as far as it exists. */
  configPath: string;
  stateDir: string;
  locksDir: string;
  lockFile: string;
  databaseFile: string;
  runDir: string;
  /** A Unix socket, or a named pipe on Windows. */
  controlSocket: string;
  lastExitsFile: string;
  /** Why the last start needs a person; absent when it does not. */
  fatalFile: string;
  restartIntentFile: string;
  /** Files of messages: `in/` those that came in, `out/` those on their way out. */
  filesDir: string;
  logsDir: string;
  logFile: string;
  credentialsDir: string;
  /** Earlier configurations, and the last one that served. */
  backupsDir: string;
  tokenFile: string;
  /** What the service of the operating system is made of; absent when none was installed. */
  serviceDir: string;
};

/**
 * Works out an instance's paths. The configuration is `--config`, else `XOPC_CONFIG`, else `xopc.json` in
 * `XOPC_HOME` or `~/.xopc`. State lives in `XOPC_STATE_DIR`, else beside a configuration that was named, else in the home.
 */
export function resolvePaths(env: Environment, configFlag?: string): Paths {
  const home = resolve(env['XOPC_HOME'] ?? join(env['HOME'] ?? homedir(), '.xopc'));
  const named = configFlag ?? env['XOPC_CONFIG'];
  const configPath = canonicalPath(named ?? join(home, 'xopc.json'));
  const stateDir = resolve(env['XOPC_STATE_DIR'] ?? (named === undefined ? home : dirname(configPath)));
  const locksDir = join(home, 'locks');
  const logsDir = join(stateDir, 'logs');
  const credentialsDir = join(stateDir, 'credentials');
  const runDir = join(stateDir, 'run');
  return {
    configPath,
    stateDir,
    locksDir,
    lockFile: join(locksDir, `gateway.${sha256(configPath)}.lock`),
    databaseFile: join(stateDir, 'state', 'gateway.db'),
    runDir,
    controlSocket: controlSocketPath(runDir),
    lastExitsFile: join(runDir, 'last-exits.json'),
    fatalFile: join(runDir, 'fatal.json'),
    restartIntentFile: join(runDir, 'restart-intent.json'),
    filesDir: join(stateDir, 'files'),
    logsDir,
    logFile: join(logsDir, 'gateway.log'),
    credentialsDir,
    backupsDir: join(stateDir, 'backups'),
    tokenFile: join(credentialsDir, 'gateway-token'),
    serviceDir: join(stateDir, 'service'),
  };
}

/** The longest path of a Unix socket on every system (macOS: 104 bytes with the closing zero). */
const MAX_SOCKET_PATH = 103;

/** `run/control.sock`; for a directory too deep for a socket, a name made of its hash in a folder of the user's own. */
function controlSocketPath(runDir: string): string {
  const hash = sha256(runDir).slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\xopc-${hash}`;
  const path = join(runDir, 'control.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  return join('/tmp', `xopc-${process.getuid?.() ?? 0}`, `${hash}.sock`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Resolves links of the longest part that exists, so that two spellings of one file give one lock (LOCK-1). */
function canonicalPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(canonicalPath(parent), basename(absolute));
  }
}
