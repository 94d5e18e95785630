import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { programPath } from '../../fixtures/programs.ts';

/** A process that was told to take a lease. */
export type LeaseProcess = { child: ChildProcess; pid: number; said: unknown; kill(): Promise<void> };

/** Starts a process that takes the lease of a secret, and waits for what it says. */
export async function startLeaseProcess(options: {
  platform?: 'linux' | 'darwin';
  channel?: string;
  secret: string;
  stateDir?: string;
  instanceId?: string;
  endsAlone?: boolean;
}): Promise<LeaseProcess> {
  const { platform = 'linux', channel = 'test', secret, stateDir = '/somewhere', instanceId = 'theirs' } = options;
  const words = [platform, channel, secret, stateDir, instanceId, ...(options.endsAlone === true ? ['end'] : [])];
  const child = spawn(process.execPath, [programPath('lease-holder'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    child,
    pid: child.pid ?? 0,
    said: JSON.parse(String(line)),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A secret that nothing else on this machine has. */
export function createSecret(): string {
  return `canary-${randomBytes(12).toString('hex')}`;
}
