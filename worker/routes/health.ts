import { healthAnswer, liveAnswer, notReadyAnswer, readyAnswer } from '../../lib/answers.ts';
import { VERSION } from '../../lib/version.ts';
import type { Registry } from '../channels/registry.ts';
import { describeChannel } from './channels.ts';
import { defineRoute, type Route } from './route.ts';

export type HealthOptions = {
  instanceId: string;
  generation: number;
  /** False while the worker does not want new work: still starting, or draining for a stop. */
  isReady(): boolean;
  /** What only an authenticated caller may see. */
  details(): Promise<Record<string, unknown>>;
  /** True when something needs attention, e.g. a channel that is down. */
  isDegraded(): boolean;
};

/** Liveness and readiness, to those who may know with the state of each channel. Both spellings of the manual answer the same. */
export function healthRoutes(options: HealthOptions, registry: Pick<Registry, 'list'>): Route[] {
  const startedAt = Date.now();
  const health = (path: string): Route =>
    defineRoute({
      method: 'GET',
      path,
      scope: 'public',
      tag: 'Operations',
      summary: 'How the gateway is',
      description: 'Who presents the credential is told of process, channels and queues, too.',
      answers: { 200: healthAnswer },
      async handle({ ctx }) {
        const summary = {
          status: options.isDegraded() ? ('degraded' as const) : ('healthy' as const),
          uptime: Math.floor((Date.now() - startedAt) / 1_000),
          version: VERSION,
          instanceId: options.instanceId,
          generation: options.generation,
        };
        return ctx.state.isAuthenticated ? { ...summary, ...(await options.details()) } : summary;
      },
    });
  return [
    health('/health'),
    health('/api/health'),
    defineRoute({
      method: 'GET',
      path: '/health/live',
      scope: 'public',
      tag: 'Operations',
      summary: 'Whether the process answers',
      answers: { 200: liveAnswer },
      handle: () => ({ status: 'live' as const }),
    }),
    defineRoute({
      method: 'GET',
      path: '/health/ready',
      scope: 'public',
      tag: 'Operations',
      summary: 'Whether it wants work',
      description: 'Who presents the credential is told of the channels, too.',
      answers: { 200: readyAnswer, 503: notReadyAnswer },
      handle({ ctx }) {
        const isReady = options.isReady();
        ctx.status = isReady ? 200 : 503;
        const channels = ctx.state.isAuthenticated ? { channels: registry.list().map(describeChannel) } : {};
        return isReady ? { status: 'ready' as const, ...channels } : { status: 'not-ready' as const, ...channels };
      },
    }),
  ];
}
