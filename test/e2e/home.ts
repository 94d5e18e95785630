import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { type LockRecord, parseLockRecord } from '../../supervisor/lock-record.ts';

/** A user's home directory with nothing in it but, perhaps, a configuration. */
export type Home = {
  path: string;
  /** `~/.xopc`. */
  stateDir: string;
  configPath: string;
  /** Writes the configuration as it is given; text is written unchanged. */
  configure(config: ConfigInput | string): void;
  /** What the lock file of the gateway says; undefined while there is none. */
  readLock(): LockRecord | undefined;
  readLog(): string;
  readToken(): string;
  remove(): void;
};

/** Makes a home in the system's temporary directory. Without a configuration the gateway is started for the first time. */
export function createHome(config?: ConfigInput | string): Home {
  const path = mkdtempSync(join(tmpdir(), 'xopc-e2e-'));
  const stateDir = join(path, '.xopc');
  const configPath = join(stateDir, 'xopc.json');
  const home: Home = {
    path,
    stateDir,
    configPath,
    configure(content) {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      const text = typeof content === 'string' ? content : JSON.stringify(withFreePort(content), null, 2);
      writeFileSync(configPath, text, { mode: 0o600 });
    },
    readLock: () => readLock(join(stateDir, 'locks')),
    readLog: () => readIfExists(join(stateDir, 'logs', 'gateway.log')),
    readToken: () => readIfExists(join(stateDir, 'credentials', 'gateway-token')).trim(),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
  if (config !== undefined) home.configure(config);
  return home;
}

/** No two tests may meet on a port. */
function withFreePort(config: ConfigInput): ConfigInput {
  return { ...config, gateway: { port: 0, ...config.gateway } };
}

function readLock(directory: string): LockRecord | undefined {
  if (!existsSync(directory)) return undefined;
  const name = readdirSync(directory).find((entry) => /^gateway\.[0-9a-f]{64}\.lock$/.test(entry));
  return name === undefined ? undefined : parseLockRecord(readIfExists(join(directory, name)));
}

function readIfExists(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
