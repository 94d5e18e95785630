import type { EmulatorClock } from './clock.ts';
import { ControlError, requireNumber } from './control-body.ts';
import { parseFaultRule } from './fault-rule.ts';
import type { FaultEngine } from './faults.ts';
import type { IncomingCall } from './http-server.ts';
import { isJsonObject, type JsonObject, parseJson } from './json.ts';

/** One control route: gets the JSON body and the query, returns what is answered as JSON. */
export type ControlRoute = (body: JsonObject, query: URLSearchParams) => unknown;

/** Control routes by `METHOD /path`. */
export type ControlRoutes = Readonly<Record<string, ControlRoute>>;

/** Answers a `/__/…` request from the table of routes. */
export function answerControl(routes: ControlRoutes, call: IncomingCall): void {
  const route = routes[`${call.method} ${call.path}`];
  if (route === undefined) {
    sendJson(call, 404, { error: `no control route ${call.method} ${call.path}` });
    return;
  }
  const body = call.body.length === 0 ? {} : parseJson(call.body.toString());
  if (!isJsonObject(body)) {
    sendJson(call, 400, { error: 'the body must be a JSON object' });
    return;
  }
  try {
    sendJson(call, 200, route(body, call.query) ?? { ok: true });
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    sendJson(call, 400, { error: error.message });
  }
}

/** The routes every emulator has: faults and clock. */
export function createSharedRoutes(faults: FaultEngine, clock: EmulatorClock): ControlRoutes {
  return {
    'POST /__/faults': (body) => faults.add(parseFaultRule(body)),
    'DELETE /__/faults': () => faults.clear(),
    'GET /__/clock': () => ({ now: clock.now() }),
    'POST /__/clock': (body) => {
      clock.advance(requireNumber(body, 'advanceMs'));
      return { now: clock.now() };
    },
  };
}

function sendJson(call: IncomingCall, status: number, value: unknown): void {
  call.res.writeHead(status, { 'content-type': 'application/json' });
  call.res.end(JSON.stringify(value));
}
