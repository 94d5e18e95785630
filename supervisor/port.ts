import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { findSocketHolders, parseNetstat, readListeningSockets } from './listening-sockets.ts';
import { isSameProcess } from './process-identity.ts';
import { ancestorsOf, type ProcessEntry, readProcesses } from './process-table.ts';

/** A process that was ended to free a port. */
export type EndedProcess = { pid: number; command: string };

/** How long a process may take to end by itself after SIGTERM, as the manual says. */
const TERMINATE_MS = 700;
const FREE_MS = 1_000;
const POLL_MS = 25;

/**
 * Frees a TCP port as the manual's `--force` does: SIGTERM to the topmost process of everything that listens there,
 * 700 ms, SIGKILL to what is left. Returns what was ended, empty when nobody listened. Throws an `ExitError` before it
 * touches anything: 78 when an owner is another user's, unknown, or ours by descent; 69 when the port stays busy.
 */
export async function endListeners(port: number): Promise<EndedProcess[]> {
  const owners = await findOwners(port);
  if (owners.length === 0) return [];
  const processes = await readProcesses([...owners, process.pid]);
  const listeners = owners.flatMap((pid) => processes.get(pid) ?? []);
  for (const listener of listeners) refuseForeign(listener, port, processes);
  // Whoever respawns its children must go first; its children follow it.
  const roots = listeners.filter(
    ({ pid }) => !ancestorsOf(pid, processes).some((ancestor) => owners.includes(ancestor)),
  );
  await signal(roots, false);
  await waitUntil(async () => (await alive(listeners)).length === 0, TERMINATE_MS);
  await signal(await alive(listeners), true);
  await waitUntil(async () => (await findOwners(port)).length === 0, FREE_MS);
  await refuseIfBusy(port);
  return listeners.map(({ pid, command }) => ({ pid, command }));
}

async function findOwners(port: number): Promise<number[]> {
  switch (process.platform) {
    case 'linux':
      return findOwnersInProc(port);
    case 'win32':
      return parseNetstat(run('netstat', ['-ano', '-p', 'TCP']), port);
    default:
      return run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'])
        .split('\n')
        .map(Number)
        .filter(Boolean);
  }
}

/** A socket without a visible holder is another user's, or its process is just ending: only one that stays so is refused. */
async function findOwnersInProc(port: number): Promise<number[]> {
  const deadline = Date.now() + FREE_MS;
  for (;;) {
    const [socket, ...others] = readListeningSockets(port);
    if (socket === undefined) return [];
    const owners = findSocketHolders([socket, ...others]);
    if (owners.length > 0) return owners;
    if (Date.now() >= deadline) throw hiddenOwnerError(port, socket.uid);
    await delay(POLL_MS);
  }
}

function hiddenOwnerError(port: number, uid: number): ExitError {
  return new ExitError(
    EXIT.config,
    `Port ${port} is held by a process of user id ${uid}, which this user cannot see.`,
    {
      hint: 'End it as that user, or choose another port with --port.',
    },
  );
}

/** The output of a program of the system; empty when it is missing or finds nothing. */
function run(command: string, args: readonly string[]): string {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 5_000, windowsHide: true }).stdout ?? '';
}

function refuseForeign(owner: ProcessEntry, port: number, processes: ReadonlyMap<number, ProcessEntry>): void {
  const { pid, command, uid } = owner;
  const who = `Port ${port} is held by ${command} (PID ${pid})`;
  const hint = 'End it yourself, or choose another port with --port.';
  if (pid === process.pid || ancestorsOf(process.pid, processes).includes(pid)) {
    throw new ExitError(EXIT.config, `${who}, which started this command: --force would end itself.`, { hint });
  }
  const ownUid = process.getuid?.();
  if (uid !== null && ownUid !== undefined && uid !== ownUid) {
    throw new ExitError(EXIT.config, `${who}, which belongs to another user (id ${uid}).`, { hint });
  }
}

/** Through fkill, which knows every system; where its `ps` is missing (slim containers), by system call. A process that is gone already is no error. */
async function signal(targets: readonly ProcessEntry[], isForced: boolean): Promise<void> {
  if (targets.length === 0) return;
  const pids = targets.map(({ pid }) => pid);
  const { killProcesses } = await import('./process-kill.ts');
  try {
    await killProcesses(pids, { force: isForced, silent: true });
  } catch {
    for (const pid of pids) killQuietly(pid, isForced ? 'SIGKILL' : 'SIGTERM');
  }
}

function killQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime; whether the port is free is looked at afterwards.
  }
}

/** Those that still run as the same process, so that a reused pid is never killed. */
async function alive(entries: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
  const states = await Promise.all(entries.map(({ pid, startTime }) => isSameProcess(pid, startTime)));
  return entries.filter((_entry, index) => states[index] === true);
}

async function waitUntil(isDone: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isDone()) && Date.now() < deadline) await delay(POLL_MS);
}

async function refuseIfBusy(port: number): Promise<void> {
  const rest = await findOwners(port);
  if (rest.length === 0) return;
  throw new ExitError(EXIT.portBusy, `Port ${port} is still in use by PID ${rest.join(', ')} after --force.`, {
    hint: 'Something starts it again; stop that first, or choose another port with --port.',
  });
}
