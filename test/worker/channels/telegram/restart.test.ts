import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundMessage } from '../../../../worker/channels/plugin.ts';
import { defineChannel } from '../../../../worker/channels/registry.ts';
import { resolveTelegramAccounts } from '../../../../worker/channels/telegram/accounts.ts';
import { createTelegramChannel } from '../../../../worker/channels/telegram/index.ts';
import { POLL_TIMING } from '../../../../worker/channels/telegram/timing.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { createConfig } from '../../assembled-gateway.ts';
import { type Bench, openRegistry } from '../channel-bench.ts';
import { createSecret } from '../lease-holders.ts';
import { createSession } from './harness.ts';

let telegram: TelegramEmulator;
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());

const HOLDER = { stateDir: '/own/state', instanceId: 'own-instance' };

type Restarted = Bench & { token: string; texts: string[]; say(text: string): Promise<unknown> };

/** A registry with the real channel; `receive` is what the gateway does with each batch. */
async function begin(receive: (texts: string[]) => Promise<void>, holder?: typeof HOLDER): Promise<Restarted> {
  nextBot += 1;
  const { token } = await createSession(telegram, { token: `${nextBot}:${createSecret()}` });
  const config = createConfig({ channels: { telegram: { enabled: true, botToken: token, apiRoot: telegram.url } } });
  const accounts = resolveTelegramAccounts(config.channels.telegram, {}, () => '');
  const timing = { ...POLL_TIMING, leaseRetryMs: 50, leaseAnswerMs: 200 };
  const texts: string[] = [];
  const bench = openRegistry([defineChannel(() => createTelegramChannel(accounts, timing, holder))], {
    async receive(_channel, _accountId, messages: readonly InboundMessage[]) {
      const batch = messages.map(({ text }) => text);
      await receive(batch);
      texts.push(...batch);
    },
  });
  await bench.registry.start('after-listen');
  return { ...bench, token, texts, say: (text) => telegram.userMessage({ token, chat: 42, from: 42, text }) };
}

let nextBot = 96_000;

describe('Telegram, restarted', () => {
  it('takes its token again and goes on, with nothing lost or heard twice', async () => {
    const { registry, texts, say } = await begin(async () => undefined, HOLDER);
    await say('one');
    await expect.poll(() => texts).toEqual(['one']);
    await registry.restart('telegram');
    await say('two');
    await expect.poll(() => texts, { timeout: 5_000 }).toEqual(['one', 'two']);
    expect(registry.list()).toMatchObject([{ state: 'up', restarts: 1, generation: 2 }]);
  });

  it('while it hangs, hears what the old one had not handed over', async () => {
    let batches = 0;
    const { registry, texts, say } = await begin(async () => {
      batches += 1;
      if (batches === 1) await new Promise(() => undefined);
    });
    await say('one');
    await expect.poll(() => batches).toBe(1);
    await registry.restart('telegram');
    await expect.poll(() => texts, { timeout: 5_000 }).toEqual(['one']);
    expect(registry.list()).toMatchObject([{ state: 'up', generation: 2 }]);
  });
});
