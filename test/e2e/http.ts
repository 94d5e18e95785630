import { type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export type HttpOptions = {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  /** The address to come from. */
  localAddress?: string;
  /** Keeps connections; none unless given. */
  agent?: Agent;
};

export type HttpReply = { status: number; headers: IncomingHttpHeaders; text: string; body: Record<string, unknown> };

/** Makes one request on a connection of its own. Rejects when the connection breaks; any status resolves. */
export function sendRequest(url: string, options: HttpOptions = {}): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    openRequest(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parseObject(text) }),
      );
    }).on('error', reject);
  });
}

/** Starts a request and hands the answer over as it begins. */
export function openRequest(
  url: string,
  { method = 'GET', headers = {}, body, localAddress, agent }: HttpOptions,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'Content-Type': 'application/json' };
  const call = request(
    url,
    { method, headers: { ...type, ...headers }, localAddress, agent: agent ?? false },
    onResponse,
  );
  call.end(payload);
  return call;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
