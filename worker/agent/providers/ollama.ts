import { get } from 'node:http';
import type { Environment } from '../../../lib/env.ts';
import { isLoopbackAddress } from '../../../lib/net.ts';

/** A model server on this machine, ready for `createOpenAiProvider`. */
type LocalServer = { baseUrl: string; models: readonly string[] };

/**
 * Looks for an Ollama or OpenAI-compatible server on loopback: at OLLAMA_HOST, else at 127.0.0.1:11434. Takes at most
 * 300 ms; undefined when there is none or it has no model. Never throws.
 */
export async function detectLocalServer(env: Environment, signal: AbortSignal): Promise<LocalServer | undefined> {
  const origin = readLoopbackOrigin(env['OLLAMA_HOST']);
  if (origin === undefined) return undefined;
  const deadline = AbortSignal.timeout(DETECTION_MS);
  // Both at once: an unknown path may be slow to say so, and there is no time for a second round.
  const [tags, list] = await Promise.all([
    readJson(`${origin}/api/tags`, [deadline, signal]),
    readJson(`${origin}/v1/models`, [deadline, signal]),
  ]);
  const models = [...readNames(tags, 'models', 'name'), ...readNames(list, 'data', 'id')];
  return models.length === 0 ? undefined : { baseUrl: `${origin}/v1`, models: [...new Set(models)] };
}

const DETECTION_MS = 300;

/** Ollama's own rules for the variable; anything beyond this machine is none of our business. */
function readLoopbackOrigin(host: string | undefined): string | undefined {
  if (host === undefined) return 'http://127.0.0.1:11434';
  const hasScheme = /^https?:\/\//.test(host);
  const text = hasScheme ? host : `http://${host.startsWith(':') ? `127.0.0.1${host}` : host}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:') return undefined;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  // 0.0.0.0 and :: are where the server listens; from here it is at loopback.
  const address = name === '0.0.0.0' ? '127.0.0.1' : name === '::' ? '::1' : name;
  if (address !== 'localhost' && !isLoopbackAddress(address)) return undefined;
  const port = url.port === '' ? (hasScheme ? '80' : '11434') : url.port;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The answer as JSON; undefined for everything that is not a short 200. node:http, because fetch costs 9 MB at its first use. */
function readJson(url: string, signals: readonly AbortSignal[]): Promise<unknown> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, signal: AbortSignal.any([...signals]) }, (response) => {
      if (response.statusCode !== 200) {
        request.destroy();
        resolve(undefined);
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER) request.destroy();
      });
      response.on('end', () => resolve(parse(text)));
      response.on('close', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
  });
}

const MAX_ANSWER = 1_000_000;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readNames(value: unknown, list: string, field: string): string[] {
  const rows: unknown = isRecord(value) ? value[list] : undefined;
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => (isRecord(row) && typeof row[field] === 'string' ? [row[field]] : []));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
