import { describe, expect, it, onTestFinished } from 'vitest';
import type { AccountStatus } from '../../../worker/channels/plugin.ts';
import { createWebchatChannel } from '../../../worker/channels/webchat.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { type Served, serveApp } from '../served-app.ts';

const SINCE = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Whoever holds the lease runs the channels. */
async function serveChannels({ isStarted = true }: { isStarted?: boolean } = {}): Promise<Served> {
  const accounts: AccountStatus[] = [
    { accountId: 'main', state: 'up', since: SINCE, lastExchangeAt: SINCE + 1_000 },
    { accountId: 'spare', state: 'degraded', since: SINCE, lastError: 'no answer' },
  ];
  const test = Object.assign(createScriptedChannel(), { status: () => accounts });
  const broken = Object.assign(createScriptedChannel({ id: 'broken', label: 'Broken' }), {
    init() {
      throw new Error('no such account');
    },
  });
  const served = await serveApp({ plugins: [createWebchatChannel(), test, broken] });
  if (isStarted) await served.registry.start('before-listen');
  onTestFinished(() => served.registry.stop());
  return served;
}

describe('channels', () => {
  it('are listed with their accounts; one that cannot be used tells why', async () => {
    const { call } = await serveChannels();
    const { status, body } = await call('GET', '/api/channels');
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        { id: 'webchat', label: 'Web chat', state: 'up', accounts: [], restarts: 0 },
        {
          id: 'test',
          label: 'Test',
          state: 'degraded',
          accounts: [
            {
              account_id: 'main',
              state: 'up',
              since: '2026-01-02T03:04:05.000Z',
              last_exchange_at: '2026-01-02T03:04:06.000Z',
            },
            { account_id: 'spare', state: 'degraded', since: '2026-01-02T03:04:05.000Z', last_error: 'no answer' },
          ],
          restarts: 0,
        },
        { id: 'broken', label: 'Broken', state: 'down', last_error: 'no such account', accounts: [], restarts: 0 },
      ],
    });
  });

  it('are restarted one at a time', async () => {
    const { call } = await serveChannels();
    expect(await call('POST', '/api/channels/test/restart')).toMatchObject({
      status: 200,
      body: { status: 'ok', channel: { id: 'test', state: 'degraded', restarts: 1 } },
    });
    expect((await call('GET', '/api/channels')).body['items']).toMatchObject([
      { id: 'webchat', restarts: 0 },
      { id: 'test', restarts: 1 },
      { id: 'broken', restarts: 0 },
    ]);
  });

  it('that nobody knows are not found; the answer names the known ones', async () => {
    const { call } = await serveChannels();
    expect(await call('POST', '/api/channels/none/restart')).toMatchObject({
      status: 404,
      body: { error: { code: 'CHANNEL_NOT_FOUND', message: expect.stringContaining('webchat, test, broken') } },
    });
  });

  it('cannot be restarted by a worker that does not run them', async () => {
    const { call } = await serveChannels({ isStarted: false });
    expect((await call('GET', '/api/channels')).status).toBe(200);
    expect(await call('POST', '/api/channels/test/restart')).toMatchObject({
      status: 503,
      body: { error: { code: 'NOT_READY' } },
    });
  });
});
