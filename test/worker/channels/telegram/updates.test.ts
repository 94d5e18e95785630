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
    ['[venue]', { venue: { title: 't' }, location: { latitude: 1, longitude: 2 } }],
    ['[contact]', { contact: { phone_number: '1' } }],
    ['[dice]', { dice: { value: 6 } }],
  ])('becomes %s', (text, fields) => {
    expect(read(fields)).toMatchObject({ text });
    expect(read(fields)).not.toHaveProperty('files');
  });

  it('but with a file has no text: the file tells for itself', () => {
    expect(read({ photo: [{ file_id: 'f' }] })?.text).toBe('');
  });

  it('with a caption becomes the caption', () => {
    expect(read({ photo: [{ file_id: 'f' }], caption: 'look' })?.text).toBe('look');
  });

  it('that only tells what happened in the chat is nothing', () => {
    expect(read({ pinned_message: { message_id: 1 } })).toBeUndefined();
    expect(read({ new_chat_members: [ada] })).toBeUndefined();
  });
});

describe('a group that became a supergroup', () => {
  const old = { id: -5, type: 'group', title: 'Team' };
  const said = { text: '', isAddressed: false, movedFrom: '-5', peer: { kind: 'group', id: '-100' } };

  it('is told by either of its two service messages', () => {
    expect(read({ chat: old, migrate_to_chat_id: -100 })).toMatchObject(said);
    expect(read({ chat: group, migrate_from_chat_id: -5 })).toMatchObject(said);
  });
});

describe('what is none of our business', () => {
  it('a channel post is passed over', () => {
    const update = { update_id: 1, channel_post: { message_id: 5, text: 'x', date: 1, chat: { id: 1 } } };
    expect(normaliseUpdate('default', bot, update as unknown as Update)).toBeUndefined();
  });

  it('the bot itself is passed over', () => {
    expect(read({ text: 'x', from: { id: 9, is_bot: true, first_name: 'Helper' } })).toBeUndefined();
  });
});

describe('an edit', () => {
  const edited_message = { message_id: 5, text: 'better', date: 1, edit_date: 2, chat: privateChat, from: ada };

  it('is told from a new message, has a key of its own and the id of what it changes', () => {
    expect(normaliseUpdate('default', bot, { update_id: 8, edited_message } as Update)).toMatchObject({
      isEdit: true,
      text: 'better',
      dedupeKey: 'update:8',
      messageId: '5',
      sentAt: 2_000,
    });
    expect(read({ text: 'x' })).not.toHaveProperty('isEdit');
  });
});

describe('a group message speaks to the bot', () => {
  const inGroup = (text: string, fields: object = {}) => {
    const message = read({ chat: group, text, ...fields });
    return message?.isAddressed === true ? message.text : undefined;
  };
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

describe('a group message that speaks to others', () => {
  it('comes in with its whole text and says so', () => {
    const entities = [{ type: 'mention', offset: 0, length: 6 }];
    expect(read({ chat: group, text: '@other hi', entities })).toMatchObject({ text: '@other hi', isAddressed: false });
    expect(read({ chat: group, text: 'good morning' })).toMatchObject({ isAddressed: false, senderId: '42' });
    expect(read({ text: 'in private' })).toMatchObject({ isAddressed: true });
  });
});

describe('a group message of another bot', () => {
  const other = { id: 10, is_bot: true, first_name: 'Other' };
  const reply = { reply_to_message: { message_id: 1, from: { id: 9 } } };

  it('speaks to the bot only by naming it', () => {
    expect(read({ chat: group, from: other, text: 'yes', ...reply })).toMatchObject({
      isFromBot: true,
      isAddressed: false,
    });
    const entities = [{ type: 'mention', offset: 0, length: 11 }];
    expect(read({ chat: group, from: other, text: '@helper_bot hi', entities })).toMatchObject({ isAddressed: true });
  });

  it('is not what somebody writes in the name of a chat', () => {
    const admin = { from: { id: 1_087_968_824, is_bot: true, first_name: 'Group' }, sender_chat: group };
    const message = read({ chat: group, text: 'yes', ...reply, ...admin });
    expect(message).toMatchObject({ senderId: '-100', isAddressed: true });
    expect(message).not.toHaveProperty('isFromBot');
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
