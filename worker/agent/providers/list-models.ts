import { toProviderError } from './failure.ts';
import { createIdleTimer } from './idle-timer.ts';
import type { RemoteSettings } from './remote.ts';

/** Asks the server which models it has: `GET {baseUrl}/models`. Errors are ProviderError. */
export async function listModels(
  settings: RemoteSettings,
  authHeaders: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const timer = createIdleTimer(LIST_TIMEOUT_MS, signal);
  try {
    const headers = { ...authHeaders, ...settings.headers };
    const response = await fetch(`${settings.baseUrl}/models`, { headers, signal: timer.signal });
    const body = await response.text();
    if (!response.ok) throw new HttpFailure(response.status, body, Object.fromEntries(response.headers));
    return readModelIds(body);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toProviderError(error, {
      settings: { ...settings, requestTimeoutMs: LIST_TIMEOUT_MS },
      model: 'models',
      isIdle: timer.isExpired(),
    });
  } finally {
    timer.end(false);
  }
}

const LIST_TIMEOUT_MS = 5_000;

/** Carries the same fields as the AI SDK's error, so that both are judged alike. */
class HttpFailure extends Error {
  readonly statusCode: number;
  readonly responseBody: string;
  readonly responseHeaders: Record<string, string>;

  constructor(statusCode: number, responseBody: string, responseHeaders: Record<string, string>) {
    super(`HTTP ${statusCode}`);
    this.statusCode = statusCode;
    this.responseBody = responseBody;
    this.responseHeaders = responseHeaders;
  }
}

/** Model ids of an OpenAI or Anthropic list, `{"data": [{"id"}]}`. */
function readModelIds(body: string): string[] {
  const parsed: unknown = JSON.parse(body);
  const data = typeof parsed === 'object' && parsed !== null && 'data' in parsed ? parsed.data : undefined;
  if (!Array.isArray(data)) throw new Error('the list of models is not one');
  return data.flatMap((row: unknown) => {
    const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}
