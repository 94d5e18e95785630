import type { IncomingMessage, RequestListener } from 'node:http';
import { monotonicMs } from '../lib/monotonic.ts';
import { createSecretMatcher } from '../lib/token.ts';
import type { Credential } from './identify.ts';
import { readCredential } from './middleware/auth.ts';

export type LiveApp = {
  listener: RequestListener;
  /** Asks for another credential from now on. Callers with the old one are served for `graceMs` (TOK-2). */
  rotate(next: Credential, graceMs: number): void;
};

/** An application whose credential can change while it serves: requests that began, and streams, never notice. */
export function createLiveApp(build: (credential: Credential) => RequestListener, credential: Credential): LiveApp {
  let current = { credential, app: build(credential) };
  let previous: { app: RequestListener; isMeant(request: IncomingMessage): boolean; until: number } | undefined;
  return {
    listener(request, response) {
      if (previous !== undefined && monotonicMs() >= previous.until) previous = undefined;
      const { app } = previous?.isMeant(request) === true ? previous : current;
      app(request, response);
    },
    rotate(next, graceMs) {
      const old = current;
      current = { credential: next, app: build(next) };
      if (old.credential.mode === 'none') return;
      const matches = createSecretMatcher(old.credential.secret);
      previous = {
        app: old.app,
        until: monotonicMs() + graceMs,
        isMeant(request) {
          const presented = readCredential(request);
          return presented !== undefined && matches(presented);
        },
      };
    },
  };
}
