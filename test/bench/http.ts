import http from 'node:http';

export type Call = { url: string; method?: 'GET' | 'POST'; body?: unknown; headers?: Readonly<Record<string, string>> };

export type Reply = { status: number; text: string; ms: number };

/** A client with its own keep-alive connections, or with none (`isFresh`). */
export function createClient(options: { isFresh?: boolean } = {}): { call(call: Call): Promise<Reply>; close(): void } {
  const agent = new http.Agent({ keepAlive: options.isFresh !== true, maxSockets: 1_000 });
  return {
    call: (call) => send(agent, call),
    close: () => agent.destroy(),
  };
}

function send(agent: http.Agent, { url, method = 'GET', body, headers = {} }: Call): Promise<Reply> {
  const startedAt = performance.now();
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      {
        agent,
        method,
        headers: {
          ...headers,
          ...(payload === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            ms: performance.now() - startedAt,
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}
