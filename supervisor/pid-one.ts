import type { Logger } from '../lib/log.ts';

/** Says what is missing when the gateway is PID 1, as in a container without an init: Node cannot reap what is not its own child (DOCK-1). */
export function warnAsPidOne(log: Logger): void {
  if (process.pid !== 1) return;
  log.warn(
    'The gateway runs as PID 1. Processes that its tools leave behind stay as zombies, for Node cannot reap them. ' +
      'Start the container with an init: `docker run --init`, or `init: true` in a compose file.',
  );
}
