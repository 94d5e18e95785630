import type { DefaultContext, DefaultState, ParameterizedContext } from 'koa';
import type { Logger } from '../../lib/log.ts';

/** What the middleware knows of a request and leaves for the routes. */
export type RequestState = DefaultState & {
  requestId: string;
  log: Logger;
  /** True once a credential was presented and found right, or none is needed. */
  isAuthenticated: boolean;
};

export type Context = ParameterizedContext<RequestState, DefaultContext>;
