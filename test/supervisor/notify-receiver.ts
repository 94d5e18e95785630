import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './running-supervisor.ts';

/** Listens for notifications as systemd does. */
export type NotifyReceiver = { socket: string; messages: string[] };

/** Which programs are missing to notify for real, and to receive it; empty when none. */
export function missingForNotify(): string {
  return ['systemd-notify', 'python3'].filter((name) => spawnSync(name, ['--version']).status !== 0).join(', ');
}

const PROGRAM = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('"bound"', flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

const started: { child: ChildProcess; directory: string }[] = [];

/** Opens a notification socket in a directory of its own. The wish of systemd-notify to know when it was read is no message. */
export async function startNotifyReceiver(): Promise<NotifyReceiver> {
  const directory = mkdtempSync(join(tmpdir(), 'xopc-notify-'));
  const socket = join(directory, 'notify.sock');
  const child = spawn('python3', ['-c', PROGRAM, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push({ child, directory });
  const messages: string[] = [];
  let isBound = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const text = String(JSON.parse(line));
    if (isBound && text !== 'BARRIER=1') messages.push(text);
    isBound = true;
  });
  await until(() => isBound, 'the socket is bound');
  return { socket, messages };
}

/** Ends all receivers. */
export function stopNotifyReceivers(): void {
  for (const { child, directory } of started.splice(0)) {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}
