import { request } from 'node:http';
import { isRecord } from '../lib/config/source.ts';
import type { Environment } from '../lib/env.ts';
import { ExitError, errorCode, errorMessage } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { Paths } from '../lib/paths.ts';
import { type Endpoint, endpointOf, findInstance } from './instance.ts';
import type { Output } from './output.ts';

/** The address and credential of the gateway: those of the one that runs, else those that are configured. */
export async function findEndpoint(paths: Paths, env: Environment): Promise<Endpoint> {
  return endpointOf(await findInstance(paths), paths, env);
}

export type Call = { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: unknown; timeoutMs?: number };

export type Answer = { status: number; body: Record<string, unknown> };

/** What answered on the port is no gateway of ours. */
export class StrangerError extends Error {
  override readonly name = 'StrangerError';
}

/** Asks the gateway. Rejects when it cannot be reached, with a `StrangerError` when it answers no JSON; any status resolves. */
export function callGateway(
  { host, port, secret }: Pick<Endpoint, 'host' | 'port' | 'secret'>,
  { method, path, body, timeoutMs = 10_000 }: Call,
): Promise<Answer> {
  // node:http, not fetch: it starts faster, and these commands should feel instant.
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(secret === undefined ? {} : { Authorization: `Bearer ${secret}` }),
      ...(payload === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
    };
    const call = request({ host, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        const answer = parseObject(Buffer.concat(chunks).toString('utf8'));
        if (answer === undefined) fail(new StrangerError('the answer is no JSON; something else listens on this port'));
        else resolve({ status: response.statusCode ?? 0, body: answer });
      });
    });
    // For the whole call: `timeout` of a request would only count the pauses.
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    call.on('error', (error) =>
      fail(isParseError(error) ? new StrangerError('what listens there does not speak HTTP') : error),
    );
    call.end(payload);
  });
}

/** Asks the gateway for something that must succeed; throws ExitError 1 with the reason and a next step. */
export async function callOrFail(endpoint: Endpoint, call: Call, output: Output): Promise<Record<string, unknown>> {
  const answer = await callGateway(endpoint, call).catch((error: unknown) => {
    throw new ExitError(EXIT.failure, output.text('unreachable', { url: endpoint.url, reason: errorMessage(error) }), {
      hint: output.text('unreachableHint'),
    });
  });
  if (answer.status < 400) return answer.body;
  const error = answer.body['error'] as { message?: string } | undefined;
  throw new ExitError(EXIT.failure, output.text('refused', { message: error?.message ?? `HTTP ${answer.status}` }));
}

/** Codes of the HTTP parser begin with `HPE_`. */
function isParseError(error: Error): boolean {
  return errorCode(error)?.startsWith('HPE_') === true;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
