import { expect, it } from 'vitest';
import { Unknown } from '../../../worker/channels/plugin.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { passTime, settled, startGateway, to } from './deliveries.ts';

const file = { kind: 'image', path: 'f1', name: 'a.png', mimeType: 'image/png', sizeBytes: 5 } as const;

/** A gateway over a channel that sends files; the first send of each chat ends without an answer. */
async function start(...chats: string[]) {
  const channel = createScriptedChannel({ files: { maxBytes: 1_000, captionLimit: 200 } });
  for (const chat of chats) channel.script.set(chat, [new Unknown('no answer')]);
  return startGateway({ channel, filesDir: '/files' });
}

it.each([
  ['with a caption', 'look', 'look\n\n(possible repeat after an interruption)'],
  ['without one', '', '(possible repeat after an interruption)'],
])('a file %s that may have arrived is sent again with the mark', async (_what, text, marked) => {
  const gateway = await start('1');
  await gateway.outbound.enqueue(to('1', text, { file }));
  await expect.poll(() => gateway.channel.sent).toHaveLength(1);
  await passTime(gateway);
  await settled(gateway, text, 'sent');
  expect(gateway.channel.sent).toMatchObject([{ text }, { text: marked, file: { path: '/files/out/f1' } }]);
});

it('the text that follows a file waits until the file has arrived', async () => {
  const gateway = await start('1');
  const long = 'long '.repeat(60).trim();
  await gateway.outbound.enqueue(to('1', long, { file }));
  await expect.poll(() => gateway.channel.sent).toHaveLength(1);
  expect(gateway.channel.sent).toMatchObject([{ text: '', file: { name: 'a.png' } }]);
  await passTime(gateway);
  await settled(gateway, long, 'sent');
  expect(gateway.channel.sent.map((message) => message.file !== undefined)).toEqual([true, true, false]);
});
