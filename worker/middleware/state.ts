import type { DefaultContext, DefaultState, ParameterizedContext } from 'koa';
import type { Logger } from '../../lib/log.ts';
import type { OperatorScope } from '../../lib/scopes.ts';

/** Where a request comes from. */
export type Client = {
  /** The caller's, in its one spelling. */
  address: string;
  /** `direct`, by way of a proxy of `gateway.trustedProxies`, or relayed by somebody who is not in that list. */
  via: 'direct' | 'trusted-proxy' | 'unknown-proxy';
  /** What a trusted proxy says of the request it got; undefined when there is none or it is silent. */
  forwardedProto: string | undefined;
  forwardedHost: string | undefined;
};

/** Who calls: the owner, or the name of a token of `gateway.auth.tokens`. */
export type Caller = { name: string; scope: OperatorScope };

/** What the middleware knows of a request and leaves for the routes. */
export type RequestState = DefaultState & {
  requestId: string;
  log: Logger;
  /** Takes the secrets that we know out of a text. */
  redact(text: string): string;
  client: Client;
  /** Undefined until a credential was presented and found right, or none is needed. */
  caller: Caller | undefined;
  /** True once there is a caller. */
  isAuthenticated: boolean;
};

export type Context = ParameterizedContext<RequestState, DefaultContext>;
