import Router from '@koa/router';
import { GatewayError } from '../../lib/errors.ts';
import type { ConfigFile } from '../config/file.ts';
import { requireScope } from '../middleware/scope.ts';
import type { Context } from '../middleware/state.ts';
import { agentRoutes } from './agent.ts';
import { channelsRoutes } from './channels.ts';
import type { CompletionOptions } from './completion.ts';
import { configRoutes } from './config.ts';
import { consoleRoutes } from './console.ts';
import { type CronOptions, cronRoutes } from './cron.ts';
import { documentRoutes } from './document.ts';
import { type EventsOptions, eventsRoutes } from './events.ts';
import { type HealthOptions, healthRoutes } from './health.ts';
import { type LogsOptions, logsRoutes } from './logs.ts';
import { type MessagesOptions, messagesRoutes } from './messages.ts';
import { openAiRoutes } from './openai.ts';
import { type OutboxOptions, outboxRoutes } from './outbox.ts';
import { pairingRoutes } from './pairing.ts';
import { type RestartOptions, restartRoutes } from './restart.ts';
import type { Route } from './route.ts';
import { sessionsRoutes } from './sessions.ts';
import { statusRoutes } from './status.ts';
import { webhookRoutes } from './webhook.ts';

export type RoutesOptions = {
  health: HealthOptions;
  streams: EventsOptions;
  logs: LogsOptions;
  restart: Omit<RestartOptions, 'generation'>;
  configFile: ConfigFile;
} & CompletionOptions &
  MessagesOptions &
  CronOptions &
  Omit<OutboxOptions, 'retryTtlMs'>;

/** Every route of the API. */
export function listRoutes(options: RoutesOptions): Route[] {
  const { events } = options.streams;
  const routes: Route[] = [
    ...consoleRoutes(),
    ...healthRoutes(options.health, options.registry),
    ...statusRoutes(options.health),
    ...restartRoutes({ ...options.restart, generation: options.health.generation }),
    ...messagesRoutes(options),
    ...agentRoutes(options),
    ...sessionsRoutes({ config: options.config, store: options.store, events }),
    ...outboxRoutes({ ...options, retryTtlMs: options.config.outbox.messageTtl }),
    ...cronRoutes(options),
    ...channelsRoutes(options.registry),
    ...pairingRoutes(options.store),
    ...webhookRoutes(options),
    ...eventsRoutes(options.streams),
    ...configRoutes(options.configFile),
    ...logsRoutes(options.logs),
    ...openAiRoutes(options),
    ...documentRoutes(() => routes),
  ];
  return routes;
}

/** Finds a request's route and runs it if the caller's scope allows; METHOD_NOT_ALLOWED with `Allow` (RFC 9110, 15.5.6) when only the method is wrong. */
export function routeRequests(routes: readonly Route[]): (ctx: Context) => Promise<void> {
  const router = new Router();
  for (const route of routes)
    router.register(route.path, [route.method], (ctx) => run(route, ctx as unknown as Context));
  const dispatch = router.routes();
  // The router tries its routes one by one; a path without parameters needs no trying.
  const fixed = new Map(
    routes.filter(({ path }) => !path.includes(':')).map((route) => [`${route.method} ${route.path}`, route]),
  );
  return async (ctx) => {
    const route = fixed.get(`${ctx.method === 'HEAD' ? 'GET' : ctx.method} ${ctx.path}`);
    if (route !== undefined) return run(route, ctx);
    if (ctx.path.includes('%')) assertDecodable(ctx.path);
    await dispatch(ctx as never, async () => {
      const allowed = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
      if (allowed.size === 0) return;
      const list = [...allowed].join(', ');
      throw new GatewayError('METHOD_NOT_ALLOWED', `${ctx.path} takes ${list}, not ${ctx.method}.`, {
        headers: { Allow: list },
      });
    });
  };
}

/** The scope belongs to the route itself, so that no spelling of a path gets around it. */
function run(route: Route, ctx: Context): Promise<void> {
  requireScope(ctx, route.scope);
  return route.handle(ctx);
}

/** Tells which requests need no credential. Everything that is not listed needs one. */
export function listPublicPaths(routes: readonly Route[]): (method: string, path: string) => boolean {
  const open = routes.filter((route) => route.scope === 'public');
  const fixed = new Set(open.filter(({ path }) => !path.includes(':')).map(({ method, path }) => `${method} ${path}`));
  const patterns = open
    .filter(({ path }) => path.includes(':'))
    .map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`) }));
  return (given, path) => {
    const method = given === 'HEAD' ? 'GET' : given;
    return (
      fixed.has(`${method} ${path}`) || patterns.some((route) => route.method === method && route.pattern.test(path))
    );
  };
}

function assertDecodable(path: string): void {
  try {
    decodeURIComponent(path);
  } catch (cause) {
    throw new GatewayError('INVALID_REQUEST', 'The path holds a percent sign that starts no valid escape.', { cause });
  }
}
