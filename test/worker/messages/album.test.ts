import { expect, it } from 'vitest';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const photo = (ref: string) => ({ kind: 'image', ref }) as const;

it('the messages of an album become one question, and what follows waits for it', async () => {
  const gateway = await startConversations();
  await receive(gateway, incoming('1', 'look', { albumId: 'a', files: [photo('p1')] }));
  await receive(
    gateway,
    incoming('1', '', { albumId: 'a', files: [photo('p2')] }),
    incoming('1', 'afterwards'),
    incoming('2', 'other chat'),
  );
  await untilIdle(gateway);
  expect(gateway.channel.textsOf('1')).toEqual([expect.stringContaining('echo: look'), 'echo: afterwards']);
  expect(gateway.channel.textsOf('2')).toEqual(['echo: other chat']);
  expect(gateway.provider.requests).toHaveLength(3);
});
