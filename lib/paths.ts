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
  logsDir: string;
  logFile: string;
  credentialsDir: string;
  tokenFile: string;
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
  return {
    configPath,
    stateDir,
    locksDir,
    lockFile: join(locksDir, `gateway.${createHash('sha256').update(configPath).digest('hex')}.lock`),
    databaseFile: join(stateDir, 'state', 'gateway.db'),
    runDir: join(stateDir, 'run'),
    logsDir,
    logFile: join(logsDir, 'gateway.log'),
    credentialsDir,
    tokenFile: join(credentialsDir, 'gateway-token'),
  };
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
