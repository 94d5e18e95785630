import { restartingAnswer } from '../../lib/answers.ts';
import { GatewayError } from '../../lib/errors.ts';
import { defineRoute, type Route } from './route.ts';

export type RestartOptions = {
  generation: number;
  /** False while `commands.restart` is off, as the file has it now. */
  isAllowed(): boolean;
  /** Asks the supervisor to put another worker in our place. */
  request(reason: string): void;
};

/** `POST /api/restart`: what SIGUSR1 does, for callers who may administer. The answer leaves before it begins. */
export function restartRoutes({ generation, isAllowed, request }: RestartOptions): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/restart',
      scope: 'operator.admin',
      tag: 'Operations',
      summary: 'Replaces the worker without a refused connection',
      description: 'The answer leaves before it begins. Refused while commands.restart is false.',
      answers: { 202: restartingAnswer },
      handle({ ctx }) {
        if (!isAllowed()) {
          throw new GatewayError(
            'FORBIDDEN',
            'Restarting is switched off: commands.restart is false in the configuration. Set it to true, or stop and start the gateway.',
          );
        }
        const by = ctx.state.caller?.name ?? 'owner';
        ctx.res.once('close', () => request(`POST /api/restart by ${by}`));
        ctx.status = 202;
        return { status: 'ok' as const, restarting: true as const, generation };
      },
    }),
  ];
}
