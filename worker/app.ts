import Koa from 'koa';
import type { Config } from '../lib/config/schema.ts';
import type { RootLogger } from '../lib/log.ts';
import type { Redactor } from '../lib/redact.ts';
import type { Credential } from './identify.ts';
import { accessLog } from './middleware/access-log.ts';
import { auth } from './middleware/auth.ts';
import { client } from './middleware/client.ts';
import { errors } from './middleware/errors.ts';
import { hostGuard } from './middleware/host.ts';
import { originGuard } from './middleware/origin.ts';
import { createFailureLimiter } from './middleware/rate-limit.ts';
import { redaction } from './middleware/redaction.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import type { RequestState } from './middleware/state.ts';
import { listPublicPaths, routeRequests } from './routes/index.ts';
import type { Route } from './routes/route.ts';

export type AppOptions = {
  routes: readonly Route[];
  credential: Credential;
  /** `gateway` of the configuration. */
  gateway: Config['gateway'];
  redactor: Pick<Redactor, 'redact'>;
  log: RootLogger;
};

/** The HTTP application: the life of a request, from top to bottom. */
export function createApp({ routes, credential, gateway, redactor, log }: AppOptions): Koa<RequestState> {
  const { allowedHosts, corsOrigins, trustedProxies } = gateway;
  const { rateLimit, tokens } = gateway.auth;
  const app = new Koa<RequestState>();
  app.use(securityHeaders());
  app.use(requestId(log));
  app.use(redaction(redactor));
  app.use(client(trustedProxies));
  app.use(accessLog(log));
  app.use(errors());
  app.use(hostGuard(allowedHosts));
  app.use(originGuard({ corsOrigins, isOpen: credential.mode === 'none' }));
  app.use(auth({ credential, tokens, limiter: createFailureLimiter(rateLimit), isPublic: listPublicPaths(routes) }));
  app.use(routeRequests(routes));
  app.on('error', (error: NodeJS.ErrnoException) => {
    // A client that leaves in the middle of a stream is everyday life.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      log.error({ err: error }, 'An answer failed');
  });
  return app;
}
