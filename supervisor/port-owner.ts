import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../lib/config/source.ts';
import { askHealth } from './ask-health.ts';
import { findSocketHolders, readListeningSockets } from './listening-sockets.ts';
import { inspectLock } from './lock-inspect.ts';
import { ancestorsOf, readProcesses } from './process-table.ts';

const PROBE_MS = 1_000;

/**
 * Who listens on a TCP port of this machine, in words that fit behind "It is held by" (PORT-1): by the locks of our gateways,
 * then by what answers there, with the program's name where the system tells. Undefined when nobody can tell. Needs no tool
 * (PORT-3), takes about a second at most and never throws.
 */
export async function describePortOwner(port: number, locksDir?: string): Promise<string | undefined> {
  try {
    const gateway = locksDir === undefined ? undefined : await findGateway(port, locksDir);
    if (gateway !== undefined) return gateway;
    const [server, program] = await Promise.all([askServer(port), findProgram(port)]);
    return server !== undefined && program !== undefined ? `${server}, ${program}` : (server ?? program);
  } catch {
    // A folder or process that we may not look into: not to know is an answer, too.
    return undefined;
  }
}

async function findGateway(port: number, locksDir: string): Promise<string | undefined> {
  for (const name of listLocks(locksDir)) {
    const lock = await inspectLock(join(locksDir, name));
    if (lock.state !== 'held' || lock.reason !== 'alive' || lock.owner?.port !== port) continue;
    if (lock.owner.pid === process.pid) continue;
    return `the xopc gateway of ${lock.owner.configPath} (PID ${lock.owner.pid})`;
  }
  return undefined;
}

function listLocks(locksDir: string): string[] {
  try {
    return readdirSync(locksDir).filter((name) => name.endsWith('.lock'));
  } catch {
    return [];
  }
}

async function askServer(port: number): Promise<string | undefined> {
  // Of a program that is not ours the first line is enough, whole or not.
  const { text } = await askHealth({ host: '127.0.0.1', port, timeoutMs: PROBE_MS });
  return describeAnswer(text);
}

function describeAnswer(answer: string): string | undefined {
  if (!/^HTTP\/\d/.test(answer)) return undefined;
  const version = readGatewayVersion(answer);
  return version === undefined ? 'another HTTP server' : `another xopc gateway (version ${version})`;
}

/** The version in the body of our `/health`; undefined when the answer is somebody else's. */
function readGatewayVersion(answer: string): string | undefined {
  const body = answer.slice(answer.indexOf('\r\n\r\n'));
  try {
    const health: unknown = JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1));
    if (!isRecord(health) || typeof health['status'] !== 'string' || typeof health['uptime'] !== 'number')
      return undefined;
    if (typeof health['instanceId'] !== 'string' || typeof health['version'] !== 'string') return undefined;
    // It is shown to a person, and anybody may have written it.
    return /^[\w.+-]{1,40}$/.test(health['version']) ? health['version'] : undefined;
  } catch {
    return undefined;
  }
}

/** The topmost of the processes that hold the socket; of one that we may not see only its user. Linux only. */
async function findProgram(port: number): Promise<string | undefined> {
  const sockets = readListeningSockets(port);
  const holders = findSocketHolders(sockets);
  const processes = await readProcesses(holders);
  const top = holders.find((pid) => !ancestorsOf(pid, processes).some((ancestor) => holders.includes(ancestor)));
  const found = top === undefined ? undefined : processes.get(top);
  if (found !== undefined) return `${found.command} (PID ${found.pid})`;
  const [stranger] = sockets.filter(({ uid }) => uid !== process.getuid?.());
  return stranger === undefined ? undefined : `a program of user id ${stranger.uid}`;
}
