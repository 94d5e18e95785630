import { statusAnswer } from '../../lib/answers.ts';
import { VERSION } from '../../lib/version.ts';
import { defineRoute, type Route } from './route.ts';

export type StatusOptions = {
  instanceId: string;
  generation: number;
  isDegraded(): boolean;
  /** Channels, queues, findings of the audit, and what else is going on. */
  details(): Promise<Record<string, unknown>>;
};

/** `GET /api/status`: everything that a caller who may read is told of this gateway. */
export function statusRoutes({ instanceId, generation, isDegraded, details }: StatusOptions): Route[] {
  const startedAt = Date.now();
  return [
    defineRoute({
      method: 'GET',
      path: '/api/status',
      scope: 'operator.read',
      tag: 'Operations',
      summary: 'Everything about the state of the gateway',
      answers: { 200: statusAnswer },
      handle: async () => ({
        status: isDegraded() ? ('degraded' as const) : ('healthy' as const),
        version: VERSION,
        uptime: Math.floor((Date.now() - startedAt) / 1_000),
        started_at: new Date(startedAt).toISOString(),
        instance_id: instanceId,
        generation,
        ...(await details()),
      }),
    }),
  ];
}
