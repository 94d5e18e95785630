import { eventsQuery } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { EventHub, GatewayEvent } from '../events.ts';
import { defineRoute, type Route } from './route.ts';
import { openEventStream } from './sse.ts';

export type EventsOptions = {
  events: EventHub;
  maxConnections: number;
  /** Aborts when the worker drains: streams end and their clients go to the next worker. */
  draining: AbortSignal;
  /** Counts an open stream; the returned function counts it off. */
  countStream(): () => void;
  openStreams(): number;
};

const RECONNECT_MS = 100;

/** `GET /api/events`: everything that happens, as it happens. */
export function eventsRoutes(options: EventsOptions): Route[] {
  const { events, draining } = options;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/events',
      scope: 'operator.read',
      tag: 'Operations',
      summary: 'Everything that happens, as it happens',
      description:
        'Server-sent events: connected, agent.stream, message.received, message.queued, message.sent, message.failed, session.updated, channel.status, gateway.draining, resync. The header Last-Event-ID asks for what was missed; resync says that something of it is no longer known.',
      query: eventsQuery,
      answers: {},
      media: ['text/event-stream'],
      errors: ['TOO_MANY_CONNECTIONS'],
      handle({ ctx, query }) {
        if (options.openStreams() >= options.maxConnections) {
          throw new GatewayError(
            'TOO_MANY_CONNECTIONS',
            `${options.maxConnections} event streams are open, the limit of gateway.maxSseConnections.`,
            { headers: { 'Retry-After': '5' } },
          );
        }
        const stream = openEventStream(ctx);
        const wants = ({ type, session }: GatewayEvent): boolean =>
          (query.types?.includes(type) ?? true) && (query.session === undefined || query.session === session);
        const deliver = (event: GatewayEvent): void => {
          if (wants(event)) stream.send({ id: event.id, type: event.type, data: event.data });
        };
        const lastEventId = ctx.get('Last-Event-ID');
        const subscription = events.subscribe(deliver, lastEventId === '' ? undefined : lastEventId);
        // A client that is cut off before its first event must know its place, too.
        const place = { id: subscription.position };
        stream.send({
          type: 'connected',
          data: { request_id: ctx.state.requestId },
          ...(lastEventId === '' ? place : {}),
        });
        if (subscription.hasGap)
          stream.send({
            type: 'resync',
            data: { reason: 'Some events are no longer known; load the state again.' },
            ...place,
          });
        else for (const event of subscription.missed) deliver(event);

        const countOff = options.countStream();
        const leave = (): void => stream.end(RECONNECT_MS);
        draining.addEventListener('abort', leave, { once: true });
        if (draining.aborted) leave();
        stream.closed.addEventListener('abort', () => {
          subscription.stop();
          countOff();
          draining.removeEventListener('abort', leave);
        });
      },
    }),
  ];
}
