import { describe, expect, it } from 'vitest';
import { normaliseMessage } from '../../../../worker/channels/weixin/messages.ts';
import { toPlainText } from '../../../../worker/channels/weixin/plain-text.ts';
import { createRepeatGuard } from '../../../../worker/channels/weixin/repeats.ts';

const text = (value: string, more = {}) => ({ type: 1, text_item: { text: value }, ...more });
const messageOf = (more: Record<string, unknown> = {}) => ({
  message_id: '7451239876543210987',
  from_user_id: 'ada@im.wechat',
  create_time_ms: 1_700_000_000_000,
  message_type: 1,
  item_list: [text('hello')],
  context_token: 'ctx',
  ...more,
});
const read = (more: Record<string, unknown> = {}) => normaliseMessage('default', messageOf(more));

describe('a message', () => {
  it('of a person opens the window to answer', () => {
    expect(read()).toMatchObject({
      peer: { kind: 'direct', id: 'ada@im.wechat' },
      text: 'hello',
      dedupeKey: 'id:7451239876543210987',
      messageId: '7451239876543210987',
      window: { token: 'ctx', sends: 10, ttlMs: 23 * 3_600_000 },
      sentAt: 1_700_000_000_000,
    });
  });

  it('of a bot, of a group or without content is none of ours', () => {
    expect(read({ message_type: 2 })).toBeUndefined();
    expect(read({ group_id: 'g' })).toBeUndefined();
    expect(read({ item_list: [] })).toBeUndefined();
    for (const odd of [null, 7, 'x', {}, { item_list: 'x' }, { from_user_id: 'a', item_list: [null, { type: 1 }] }])
      expect(normaliseMessage('default', odd)).toBeUndefined();
  });

  it('is named by what the platform gives it, never by its token', () => {
    const nameless = { message_id: undefined };
    expect(read({ ...nameless, item_list: [text('x', { msg_id: 'i' })] })?.dedupeKey).toBe('item:i');
    expect(read({ ...nameless, client_id: 'c' })?.dedupeKey).toBe('client:c');
    const hashed = read(nameless)?.dedupeKey;
    expect(hashed).toMatch(/^hash:/);
    expect(read({ ...nameless, context_token: 'other' })?.dedupeKey).toBe(hashed);
    expect(read({ ...nameless, create_time_ms: 1 })?.dedupeKey).not.toBe(hashed);
  });

  it('says what was quoted and what was spoken', () => {
    expect(read({ item_list: [text('yes', { ref_msg: { title: 'really?' } })] })?.text).toBe('> really?\n\nyes');
    expect(read({ item_list: [{ type: 3, voice_item: { text: 'spoken' } }] })?.text).toBe('spoken');
    expect(read({ item_list: [{ type: 2 }, { type: 4, file_item: { file_name: 'a.pdf' } }] })?.text).toBe(
      '[image]\n[file a.pdf]',
    );
  });
});

it('a nameless message that comes again within seconds is known, one with a name is left alone', () => {
  const guard = createRepeatGuard();
  const first = read({ message_id: undefined });
  const second = read({ message_id: undefined, create_time_ms: 1_700_000_001_000 });
  const named = read();
  if (first === undefined || second === undefined || named === undefined) throw new Error('Not read');
  expect(guard(first)).toEqual(first);
  expect(guard(second).dedupeKey).toBe(first.dedupeKey);
  expect(guard(named)).toEqual(named);
});

it('Markdown becomes text that a chat without markup shows well', () => {
  expect(toPlainText('# Title\n**bold** and *soft*, `code`, ~~gone~~ [here](https://x.org) 2*3*4')).toBe(
    'Title\nbold and soft, code, gone here (https://x.org) 2*3*4',
  );
  expect(toPlainText('a\n```ts\nconst x = **y**;\n```\nb')).toBe('a\nconst x = **y**;\nb');
});
