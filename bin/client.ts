import { request } from 'node:http';
import { readEssentials } from '../lib/config/essentials.ts';
import { readGeneratedToken } from '../lib/credential.ts';
import type { Environment } from '../lib/env.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { displayUrl, planBind } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import { inspectLock } from '../supervisor/lock-inspect.ts';
import type { Output } from './output.ts';

/** Where the gateway of these settings listens, and what it asks of callers. */
export type Endpoint = { host: string; port: number; url: string; authMode: string; secret: string | undefined };

/** The address and credential of the gateway: the port of the one that runs, else the one that is configured. */
export async function findEndpoint(paths: Paths, env: Environment): Promise<Endpoint> {
  const essentials = readEssentials(paths.configPath, env);
  const lock = await inspectLock(paths.lockFile);
  const port = (lock.state === 'held' ? lock.owner?.port : undefined) ?? essentials.port;
  const [bound = '127.0.0.1'] = planBind(essentials.bind.mode, essentials.bind.customHost, env).hosts;
  const host = bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound;
  const secret =
    essentials.secret ?? (essentials.authMode === 'token' ? readGeneratedToken(paths.tokenFile) : undefined);
  return { host, port, url: displayUrl(bound, port), authMode: essentials.authMode, secret };
}

export type Call = { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: unknown; timeoutMs?: number };

export type Answer = { status: number; body: Record<string, unknown> };

/** Asks the gateway. Rejects when it cannot be reached or answers no JSON; any status resolves. */
export function callGateway(
  { host, port, secret }: Endpoint,
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
    const call = request({ host, port, method, path, headers, timeout: timeoutMs, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
          });
        } catch {
          reject(new Error('the answer is no JSON; something else listens on this port'));
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', reject);
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
