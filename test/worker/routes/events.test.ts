import { describe, expect, it } from 'vitest';
import { readEvents, serveApp, TOKEN } from '../served-app.ts';

describe('GET /api/events', () => {
  const headers = { 'x-api-key': TOKEN };

  it('tells what happens, filtered by type and session', async () => {
    const { url, events } = await serveApp();
    const response = await fetch(`${url}/api/events?types=message.sent, session.updated&session=s`, { headers });
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const reading = readEvents(response, 2);
    events.publish('message.sent', { n: 1 }, 'other');
    events.publish('message.failed', { n: 2 }, 's');
    events.publish('message.sent', { n: 3 }, 's');
    expect(await reading).toMatchObject([{ event: 'connected' }, { event: 'message.sent', data: { n: 3 } }]);
  });

  it('continues after the last event that the client saw', async () => {
    const { url, events } = await serveApp();
    const reading = readEvents(await fetch(`${url}/api/events`, { headers }), 2);
    events.publish('message.sent', { n: 1 });
    const id = (await reading)[1]?.id ?? '';
    for (const n of [2, 3]) events.publish('message.sent', { n });
    const again = await fetch(`${url}/api/events`, { headers: { ...headers, 'last-event-id': id } });
    expect((await readEvents(again, 3)).map(({ data }) => data)).toMatchObject([{}, { n: 2 }, { n: 3 }]);
  });

  it('tells a client whose place is not known any more to load its state again', async () => {
    const { url } = await serveApp();
    const response = await fetch(`${url}/api/events`, { headers: { ...headers, 'last-event-id': 'other-1' } });
    expect((await readEvents(response, 2)).map(({ event }) => event)).toEqual(['connected', 'resync']);
  });

  it('loses nothing for a client that was cut off before its first event', async () => {
    const { url, events } = await serveApp();
    const [connected] = await readEvents(await fetch(`${url}/api/events`, { headers }), 1);
    events.publish('message.sent', { n: 1 });
    const again = await fetch(`${url}/api/events`, { headers: { ...headers, 'last-event-id': connected?.id ?? '' } });
    expect((await readEvents(again, 2)).at(1)).toMatchObject({ event: 'message.sent', data: { n: 1 } });
  });

  it('has room for as many streams as allowed, and again when one has gone', async () => {
    const { url, streams } = await serveApp({ maxConnections: 1 });
    const first = new AbortController();
    await fetch(`${url}/api/events`, { headers, signal: first.signal });
    const second = await fetch(`${url}/api/events`, { headers });
    expect(second.status).toBe(503);
    expect(second.headers.get('retry-after')).toBe('5');
    expect(await second.json()).toMatchObject({
      error: { code: 'TOO_MANY_CONNECTIONS', requestId: expect.any(String) },
    });
    first.abort();
    await expect.poll(() => streams.open).toBe(0);
    const third = await fetch(`${url}/api/events`, { headers });
    expect(third.status).toBe(200);
    await third.body?.cancel();
  });

  it('ends with a time to come back when the worker drains', async () => {
    const { url, draining } = await serveApp();
    const response = await fetch(`${url}/api/events`, { headers });
    const reading = readEvents(response);
    draining.abort();
    expect((await reading).at(-1)).toEqual({ retry: 100 });
  });
});
