import type { Environment } from '../../lib/env.ts';
import type { ServiceManager } from './contract.ts';
import { openLaunchd } from './launchd.ts';
import { openSchtasks } from './schtasks.ts';
import { openSystemd } from './systemd.ts';

export type OpenOptions = { name: string; env: Environment; home: string; user: string; serviceDir: string };

/** The service manager of this operating system for the user who asks; undefined where we know none. */
export function openServiceManager(
  options: OpenOptions,
  platform: string = process.platform,
): ServiceManager | undefined {
  switch (platform) {
    case 'linux':
      return openSystemd(options);
    case 'darwin':
      return openLaunchd(options);
    case 'win32':
      return openSchtasks(options);
    default:
      return undefined;
  }
}
