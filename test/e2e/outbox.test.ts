import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { runXopc, startGateway, stopAll } from './gateway.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe('a message that was given up', () => {
  it('is listed by the command line with its reason, is sent again on demand, and its owner is told', async () => {
    const bot = await world.createBot();
    const alerts = { owner: { channel: 'telegram', chatId: 61 } };
    const gateway = await startGateway({ config: world.configure(bot, {}, { alerts }) });
    await bot.say(61, 'hello');
    await bot.texts(61, 1);
    const body = { channel: 'telegram', chat_id: '62', content: 'nobody is there' };
    const { body: sent } = await gateway.request('/api/message', { method: 'POST', body });
    const id = String(sent['message_id']);
    const list = await eventually('a dead letter', async () => {
      const { stdout } = await runXopc(gateway.home, ['gateway', 'outbox', 'list']);
      return stdout.includes(id) && stdout;
    });
    expect(list).toContain('chat not found');
    expect(list).toContain('0 waiting, 1 given up');
    expect((await bot.texts(61, 2))[1]).toContain('telegram chat 62 could not be delivered');

    await bot.say(62, 'I am here now');
    await bot.texts(62, 1);
    const retried = await runXopc(gateway.home, ['gateway', 'outbox', 'retry', id, '--json']);
    expect(JSON.parse(retried.stdout)).toMatchObject({ ok: true, message_id: expect.stringContaining('msg_') });
    expect(await bot.texts(62, 2)).toContain('nobody is there');
    const again = await runXopc(gateway.home, ['gateway', 'outbox', 'retry', id]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already sent again');
    const unknown = await runXopc(gateway.home, ['gateway', 'outbox', 'drop', 'msg_1_x', '--lang', 'zh']);
    expect(unknown.code).toBe(1);
    await gateway.stop();
  });
});
