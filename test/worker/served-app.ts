import { connect } from 'node:net';
import { join } from 'node:path';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import type { AuditFinding } from '../../lib/audit/audit.ts';
import { GatewayError } from '../../lib/errors.ts';
import { createRedactor } from '../../lib/redact.ts';
import { bindListeners } from '../../supervisor/socket.ts';
import { createApp } from '../../worker/app.ts';
import { type ConfigFile, createConfigFile } from '../../worker/config/file.ts';
import type { Reloader } from '../../worker/config/reload.ts';
import type { Credential } from '../../worker/identify.ts';
import { listRoutes } from '../../worker/routes/index.ts';
import { defineRoute, type Route } from '../../worker/routes/route.ts';
import { createServer, type ServerLimits } from '../../worker/server.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { type AssembledGateway, type AssembledOptions, assembleGateway } from './assembled-gateway.ts';
import { checkAnswers } from './checked-answers.ts';
import { createRecordingLog, type LogEntry } from './recording-log.ts';
import { openTemporaryStore } from './temporary-store.ts';

export const TOKEN = 'canary-token-0123456789abcdef0123456789';

/** A secret that the gateway knows of. */
export const HIDDEN = 'canary-hidden-secret';

export type Served = AssembledGateway & {
  port: number;
  url: string;
  /** What the HTTP application logged. */
  requests: LogEntry[];
  routes: readonly Route[];
  /** Those of them that the product has. */
  productRoutes: readonly Route[];
  draining: AbortController;
  streams: { open: number };
  /** Reasons with which the supervisor was asked for a restart. */
  restarts: string[];
  /** Calls the API with the credential; a body is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends bytes as they are and returns the whole answer. */
  raw(text: string): Promise<string>;
};

export type Answer = { status: number; headers: Headers; body: Record<string, unknown>; text: string };

export type ServeOptions = Partial<AssembledOptions> & {
  credential?: Credential;
  isReady?: () => boolean;
  maxConnections?: number;
  limits?: Partial<ServerLimits>;
  findings?: readonly AuditFinding[];
  isRestartAllowed?: boolean;
  logFile?: string;
};

/** The HTTP application on a free port, with real routes over a real store; gone when the test ends. */
export async function serveApp(options: ServeOptions = {}): Promise<Served> {
  const gateway = assembleGateway({ store: openTemporaryStore().store, ...options });
  const { log, entries } = createRecordingLog();
  const draining = new AbortController();
  const streams = { open: 0 };
  const restarts: string[] = [];
  const productRoutes = buildRoutes(gateway, options, { draining, streams, restarts });
  const routes = checkAnswers([...productRoutes, ...oddRoutes]);
  const credential = options.credential ?? { mode: 'token', secret: TOKEN, source: '/etc/xopc/gateway-token' };
  const redactor = createRedactor();
  redactor.add(TOKEN);
  const app = createApp({ routes, credential, gateway: gateway.config.gateway, redactor, log });
  const server = createServer(app.callback(), options.limits);
  const listeners = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
  const { port } = await server.listen(listeners);
  await gateway.start();
  onTestFinished(async () => {
    draining.abort();
    await server.drain({ mode: 'stop', requestsMs: 0, isExcused: () => false, excusedMs: 0 });
    await gateway.outbound.stop(0);
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    ...gateway,
    port,
    url,
    requests: entries,
    routes,
    productRoutes,
    draining,
    streams,
    restarts,
    call: (method, path, body, headers) => callApp(`${url}${path}`, { method, body, headers }),
    raw: (text) => sendRaw(port, text),
  };
}

const ODD = { tag: 'Operations', summary: 'Odd', answers: { 200: v.looseObject({}) } } as const;

/** A route with a bug, as every program has one; two whose answers hold a secret; and one whose scope was forgotten. */
const oddRoutes = [
  defineRoute({
    method: 'GET',
    path: '/api/broken',
    scope: 'operator.read',
    ...ODD,
    handle() {
      throw new TypeError('canary-detail of an internal error');
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/telltale',
    scope: 'operator.read',
    ...ODD,
    errors: ['AGENT_ERROR'],
    handle() {
      throw new GatewayError('AGENT_ERROR', `The provider said: bad key ${TOKEN}`, {
        details: [{ path: 'url', message: `https://example.org/?key=${encodeURIComponent(TOKEN)}` }],
      });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/chatty',
    scope: 'operator.read',
    ...ODD,
    handle: () => ({ items: [{ last_error: `no connection to https://example.org/bot${TOKEN}/x` }] }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/forgotten',
    ...ODD,
    handle: () => ({ status: 'ok' }),
  }),
];

function buildRoutes(
  gateway: AssembledGateway,
  options: ServeOptions,
  { draining, streams, restarts }: Pick<Served, 'draining' | 'streams' | 'restarts'>,
): Route[] {
  const { isReady = () => true, maxConnections = 3, findings = [], isRestartAllowed = true } = options;
  return listRoutes({
    ...gateway,
    logs: {
      logFile: options.logFile ?? '/nonexistent/gateway.log',
      redact: (line) => line.replaceAll(HIDDEN, '[hidden]'),
    },
    configFile: openConfigFile(),
    health: {
      instanceId: 'instance',
      generation: 7,
      isReady,
      isDegraded: () => false,
      details: async () => ({ secretDetail: true, findings }),
    },
    restart: { isAllowed: () => isRestartAllowed, request: (reason) => restarts.push(reason) },
    streams: {
      events: gateway.events,
      maxConnections,
      draining: draining.signal,
      openStreams: () => streams.open,
      countStream() {
        streams.open += 1;
        return () => {
          streams.open -= 1;
        };
      },
    },
  });
}

/** A real one, in a directory of its own. */
function openConfigFile(): ConfigFile {
  const directory = temporaryDirectory();
  const reloader: Reloader = { check: () => [], view: () => ({ pending: [], problems: [] }) };
  const paths = { configPath: join(directory, 'xopc.json'), backupsDir: join(directory, 'backups') };
  const { log } = createRecordingLog();
  return createConfigFile({ paths, env: {}, overrides: {}, verify: () => undefined, reloader, log });
}

type Call = { method: string; body: unknown; headers: Record<string, string> | undefined };

async function callApp(url: string, { method, body, headers }: Call): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRawBody(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : {},
  };
}

function isRawBody(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.setTimeout(3_000, () => socket.destroy());
  });
}

/** Reads server-sent events until there are as many as asked for, or the stream ends. */
export async function readEvents(
  response: Response,
  count = Number.POSITIVE_INFINITY,
): Promise<{ id?: string; event?: string; data?: unknown; retry?: number }[]> {
  const events: { id?: string; event?: string; data?: unknown; retry?: number }[] = [];
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) {
    text += chunk.value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    events.push(...blocks.filter((block) => !block.startsWith(':')).map(parseEvent));
    if (events.length >= count) break;
  }
  await reader?.cancel();
  return events;
}

function parseEvent(block: string): { id?: string; event?: string; data?: unknown; retry?: number } {
  const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
  return {
    ...(fields['id'] === undefined ? {} : { id: fields['id'] }),
    ...(fields['event'] === undefined ? {} : { event: fields['event'] }),
    ...(fields['data'] === undefined ? {} : { data: JSON.parse(fields['data']) }),
    ...(fields['retry'] === undefined ? {} : { retry: Number(fields['retry']) }),
  };
}
