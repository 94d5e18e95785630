import type { Message, Update } from 'grammy/types';
import { describe, expect, it } from 'vitest';
import { normaliseUpdate } from '../../../../worker/channels/telegram/updates.ts';

const bot = { id: 9, username: 'Helper_Bot' };
const ada = { id: 42, is_bot: false, first_name: 'Ada', last_name: 'Lovelace' };
const privateChat = { id: 42, type: 'private', first_name: 'Ada' };
const group = { id: -100, type: 'supergroup', title: 'Team' };

/** A message with the fields a case is about, through the parser. */
function read(fields: object) {
  const message = { message_id: 5, date: 1_700_000_000, from: ada, chat: privateChat, ...fields } as Message;
  return normaliseUpdate('default', bot, { update_id: 1, message } as Update);
}

describe('a message without text', () => {
  it.each([
    ['[photo]', { photo: [{ file_id: 'f' }] }],
    ['[animation]', { animation: { file_id: 'f' }, document: { file_id: 'f' } }],
    ['[video note]', { video_note: { file_id: 'f' } }],
    ['[voice]', { voice: { file_id: 'f' } }],
    ['[document]', { document: { file_id: 'f' } }],
    ['[venue]', { venue: { title: 't' }, location: { latitude: 1, longitude: 2 } }],
    ['[sticker]', { sticker: { file_id: 'f' } }],
  ])('becomes %s', (text, fields) => {
    expect(read(fields)?.text).toBe(text);
  });

  it('with a caption becomes the caption', () => {
    expect(read({ photo: [{ file_id: 'f' }], caption: 'look' })?.text).toBe('look');
  });

  it('that only tells what happened in the chat is nothing', () => {
    expect(read({ pinned_message: { message_id: 1 } })).toBeUndefined();
    expect(read({ new_chat_members: [ada] })).toBeUndefined();
  });
});

describe('what is none of our business', () => {
  it.each([
    ['an edit', { update_id: 1, edited_message: { message_id: 5, text: 'x', date: 1, chat: privateChat, from: ada } }],
    ['a channel post', { update_id: 1, channel_post: { message_id: 5, text: 'x', date: 1, chat: { id: 1 } } }],
  ])('%s is passed over', (_what, update) => {
    expect(normaliseUpdate('default', bot, update as unknown as Update)).toBeUndefined();
  });

  it('the bot itself is passed over', () => {
    expect(read({ text: 'x', from: { id: 9, is_bot: true, first_name: 'Helper' } })).toBeUndefined();
  });
});

describe('a group message speaks to the bot', () => {
  const inGroup = (text: string, fields: object = {}) => read({ chat: group, text, ...fields })?.text;
  const entity = (type: string, offset: number, length: number, more: object = {}) => [
    { type, offset, length, ...more },
  ];

  it('by its name in any case, counted in UTF-16 units', () => {
    expect(inGroup('👋🏽 @helper_bot', { entities: entity('mention', 5, 11) })).toBe('👋🏽 @helper_bot');
    expect(inGroup('@HELPER_BOT: hi', { entities: entity('mention', 0, 11) })).toBe('hi');
    expect(inGroup('@helper_bot', { entities: entity('mention', 0, 11) })).toBe('@helper_bot');
    expect(inGroup('@helper_bot2 hi', { entities: entity('mention', 0, 12) })).toBeUndefined();
  });

  it('by a mention without a name, by a command with its name, in a caption', () => {
    expect(inGroup('Helper hi', { entities: entity('text_mention', 0, 6, { user: { id: 9 } }) })).toBe('hi');
    expect(inGroup('Ada hi', { entities: entity('text_mention', 0, 3, { user: { id: 42 } }) })).toBeUndefined();
    expect(inGroup('/new@helper_bot now', { entities: entity('bot_command', 0, 15) })).toBe('/new now');
    expect(inGroup('/new now', { entities: entity('bot_command', 0, 4) })).toBeUndefined();
    const photo = { photo: [{ file_id: 'f' }], caption: '@helper_bot see', caption_entities: entity('mention', 0, 11) };
    expect(read({ chat: group, ...photo })?.text).toBe('see');
  });

  it('by a reply to it, but not by being in a topic that it created', () => {
    const original = { message_id: 1, from: { id: 9 } };
    expect(inGroup('yes', { reply_to_message: original })).toBe('yes');
    expect(inGroup('yes', { reply_to_message: { ...original, forum_topic_created: {} } })).toBeUndefined();
  });
});

describe('who and where', () => {
  it('is the person with the full name, in private', () => {
    expect(read({ text: 'x' })).toMatchObject({
      peer: { kind: 'direct', id: '42' },
      senderId: '42',
      senderName: 'Ada Lovelace',
      sentAt: 1_700_000_000_000,
    });
  });

  it('is the chat somebody writes for, when it is not a person', () => {
    const asChannel = { text: 'x', sender_chat: { id: -5, type: 'channel', title: 'News' } };
    expect(read(asChannel)).toMatchObject({ senderId: '-5', senderName: 'News' });
  });

  it('is a thread only in a topic, because elsewhere the thread id is a chain of replies', () => {
    const reply = { text: 'x', message_thread_id: 3 };
    expect(read(reply)?.peer.threadId).toBeUndefined();
    expect(read({ ...reply, is_topic_message: true })?.peer.threadId).toBe('3');
  });
});
