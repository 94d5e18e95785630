import Koa from 'koa';
import type { Logger } from '../lib/log.ts';
import { accessLog } from './middleware/access-log.ts';
import { auth, type Credential } from './middleware/auth.ts';
import { errors } from './middleware/errors.ts';
import { requestId } from './middleware/request-id.ts';
import type { RequestState } from './middleware/state.ts';
import { listPublicPaths, routeRequests } from './routes/index.ts';
import type { Route } from './routes/route.ts';

export type AppOptions = { routes: readonly Route[]; credential: Credential; log: Logger };

/** The HTTP application: the life of a request, from top to bottom. */
export function createApp({ routes, credential, log }: AppOptions): Koa<RequestState> {
  const app = new Koa<RequestState>();
  app.use(requestId(log));
  app.use(accessLog());
  app.use(errors());
  app.use(auth(credential, listPublicPaths(routes)));
  app.use(routeRequests(routes));
  app.on('error', (error: NodeJS.ErrnoException) => {
    // A client that leaves in the middle of a stream is everyday life.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      log.error({ err: error }, 'An answer failed');
  });
  return app;
}
