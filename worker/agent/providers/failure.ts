import { formatDuration } from '../../../lib/duration.ts';
import { errorCode, errorMessage } from '../../../lib/errors.ts';
import { type Answer, judgeAnswer, readRetryAfterMs } from './answer.ts';
import { KNOWN_PROVIDERS } from './known.ts';
import { ProviderError, type ProviderErrorKind } from './provider.ts';
import type { RemoteSettings } from './remote.ts';

type FailureContext = {
  settings: RemoteSettings;
  model: string;
  /** The provider was silent for too long and we hung up. */
  isIdle: boolean;
};

/** Says why a request failed: a kind that decides what to do next, and words that tell a person what to do. No secrets. */
export function toProviderError(error: unknown, context: FailureContext): ProviderError {
  const { settings, model, isIdle } = context;
  const answer = isIdle ? undefined : readAnswer(error);
  const kind = isIdle ? 'timeout' : answer === undefined ? 'network' : judgeAnswer(answer);
  const what = isIdle ? `silent for ${formatDuration(settings.requestTimeoutMs)}` : describe(answer, error);
  const message = hideSecrets(`${settings.id}/${model}: ${what}. ${advise(kind, answer, settings)}`, settings);
  const retryAfterMs = answer === undefined ? undefined : readRetryAfterMs(answer);
  return new ProviderError(kind, message, { cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** What the server said; undefined when the connection failed before it said anything that makes sense. */
function readAnswer(error: unknown): Answer | undefined {
  // An `error` event inside a stream reaches us as the plain value the server sent.
  if (!(error instanceof Error))
    return { body: typeof error === 'string' ? error : JSON.stringify(error), headers: {} };
  const { statusCode: status, responseBody, responseHeaders } = error as Error & ApiCallFields;
  if (status === undefined || status < 400) return undefined;
  return { status, body: responseBody ?? error.message, headers: responseHeaders ?? {} };
}

/** Fields of the AI SDK's APICallError. */
type ApiCallFields = { statusCode?: number; responseBody?: string; responseHeaders?: Record<string, string> };

function describe(answer: Answer | undefined, error: unknown): string {
  if (answer === undefined) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = errorCode(cause);
    return code === undefined ? errorMessage(cause) : `${errorMessage(cause)} (${code})`;
  }
  const text = readMessage(answer.body).replace(/\s+/g, ' ').slice(0, MAX_QUOTE).replace(/\.$/, '');
  return answer.status === undefined ? text : `HTTP ${answer.status}: ${text}`;
}

const MAX_QUOTE = 300;

/** The message inside an error body, wherever the dialect has it; else the body itself. */
function readMessage(body: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return body;
  }
  for (let depth = 0; depth < 3 && typeof value === 'object' && value !== null; depth += 1) {
    if ('message' in value && typeof value.message === 'string') return value.message;
    value = 'error' in value ? value.error : undefined;
  }
  return typeof value === 'string' ? value : body;
}

function advise(kind: ProviderErrorKind, answer: Answer | undefined, { id, baseUrl }: RemoteSettings): string {
  switch (kind) {
    case 'auth':
      return `Check providers.${id}.apiKey${(KNOWN_PROVIDERS.get(id)?.keyNames ?? []).map((name) => ` or ${name}`).join('')}.`;
    case 'quota':
      return 'The account has no credit left: top it up, or choose another model.';
    case 'rate':
      return 'Too many requests: wait, or add fallbacks to agents.defaults.model.';
    case 'overload':
      return 'The provider has trouble: try again later, or add fallbacks to agents.defaults.model.';
    case 'timeout':
      return `Try again, or raise providers.${id}.requestTimeout.`;
    case 'context':
      return 'The conversation is too long for this model: start a new one with /new, or lower historyLimit.';
    case 'network':
      return `Check the network and providers.${id}.baseUrl (${new URL(baseUrl).origin}).`;
    case 'invalid':
      return answer?.status === 404
        ? `Check the model's name and providers.${id}.baseUrl.`
        : 'Check the model and its settings under agents.';
  }
}

/** Servers like to quote the key they refuse, and fetch the URL it does not take. */
function hideSecrets(text: string, { apiKey, headers }: RemoteSettings): string {
  let safe = text.replace(/\/\/[^/@\s]+@/g, '//');
  for (const secret of [apiKey, ...Object.values(headers ?? {})]) {
    if (secret !== undefined && secret.length >= MIN_SECRET) safe = safe.replaceAll(secret, '…');
  }
  return safe;
}

/** Shorter values are not secrets, and taking them out would garble the text. */
const MIN_SECRET = 6;
