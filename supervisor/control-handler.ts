import { readEssentials } from '../lib/config/essentials.ts';
import { readGeneratedToken } from '../lib/credential.ts';
import { ExitError } from '../lib/errors.ts';
import { type ControlHandler, ControlRefusal } from './control.ts';
import type { SupervisorOptions } from './index.ts';
import type { RunLoop } from './run-loop.ts';

/** What the supervisor answers on its control socket. */
export function createControlHandler(
  { paths, env, overrides }: Pick<SupervisorOptions, 'paths' | 'env' | 'overrides'>,
  loop: RunLoop,
): ControlHandler {
  return {
    status: () => loop.status(),
    stop() {
      loop.stop('SIGTERM');
      return { phase: loop.phase };
    },
    restart({ force, reason }) {
      if (loop.phase === 'draining') {
        throw new ControlRefusal('The gateway is stopping.', 'Start it again once it has ended.');
      }
      try {
        loop.restart(reason, force);
      } catch (error) {
        if (error instanceof ExitError) throw new ControlRefusal(error.message, error.hint);
        throw error;
      }
      return { generation: loop.candidate };
    },
    token() {
      const { authMode, secret } = readEssentials(paths.configPath, env, overrides);
      if (authMode === 'none') return { authMode, token: null };
      const generated = authMode === 'token' ? readGeneratedToken(paths.tokenFile) : undefined;
      return { authMode, token: secret ?? generated ?? null };
    },
    report: () => loop.report(),
  };
}
