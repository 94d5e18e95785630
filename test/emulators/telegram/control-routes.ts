import type { EmulatorClock } from '../core/clock.ts';
import type { ControlRoutes } from '../core/control.ts';
import { ControlError, requireNumber, requireString } from '../core/control-body.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type {
  AlbumInput,
  BotSeed,
  ChatSeed,
  ClickInput,
  EditInput,
  FloodLimits,
  ShutOut,
  UserMessageInput,
} from './control-contract.ts';
import {
  clickButton,
  editUserMessage,
  migrateGroup,
  postAlbum,
  postUserMessage,
  requireChat,
  shutOut,
} from './people.ts';
import { renderTranscript } from './transcript.ts';
import type { World } from './world.ts';

/** The control routes that speak for people and for the test. */
export function createControlRoutes(world: World, clock: EmulatorClock): ControlRoutes {
  return {
    'POST /__/bots': (body) => {
      const { user } = world.add(toBotSeed(body)).identity;
      return user;
    },
    'POST /__/user-message': (body) => postUserMessage(world.require(body['token']), toUserMessage(body), clock.now()),
    'POST /__/album': (body) => postAlbum(world.require(body['token']), toAlbum(body), clock.now()),
    'POST /__/edit': (body) => editUserMessage(world.require(body['token']), toEdit(body), clock.now()),
    'POST /__/click': (body) => clickButton(world.require(body['token']), toClick(body), clock.now()),
    'POST /__/block': (body) => {
      const bot = world.require(body['token']);
      shutOut(bot, requireChat(bot, requireNumber(body, 'chat')), toShutOut(body), clock.now());
    },
    'POST /__/chats': (body) => {
      world.require(body['token']).ensureChat(toChat(body['chat']), null);
    },
    'POST /__/migrate': (body) =>
      migrateGroup(world.require(body['token']), requireNumber(body, 'chat'), requireNumber(body, 'to'), clock.now()),
    'POST /__/stumble': (body) => {
      const { repeat, isShuffled } = body;
      world.require(body['token']).queue.stumble({
        ...(typeof repeat === 'number' ? { repeat } : {}),
        ...(typeof isShuffled === 'boolean' ? { isShuffled } : {}),
      });
    },
    'POST /__/limits': (body) => setLimits(world, body),
    'POST /__/revoke': (body) => {
      const bot = world.require(body['token']);
      bot.isRevoked = true;
      bot.webhook.delete();
      bot.poller.revoke();
    },
    'GET /__/transcript': (_body, query) => {
      const bot = world.require(query.get('token'));
      const chat = bot.chats.get(Number(query.get('chat')));
      return chat === undefined ? { messages: [], typing: [], drafts: [] } : renderTranscript(chat);
    },
    'GET /__/pending': (_body, query) => {
      const { queue } = world.require(query.get('token'));
      queue.expire(clock.now());
      return { updateIds: queue.list().map(({ update_id }) => update_id) };
    },
    'GET /__/deliveries': (_body, query) => ({
      deliveries: world.require(query.get('token')).webhook.deliveries,
    }),
  };
}

function toBotSeed(body: JsonObject): BotSeed {
  const { id, privacy } = body;
  return {
    token: requireString(body, 'token'),
    username: requireString(body, 'username'),
    ...(typeof id === 'number' ? { id } : {}),
    ...(typeof privacy === 'boolean' ? { privacy } : {}),
  };
}

// Only the fields a mistake is likely in are checked; the typed client takes care of the others.
function toUserMessage(body: JsonObject): UserMessageInput {
  if (body['text'] !== undefined || body['file'] === undefined) requireString(body, 'text');
  if (body['file'] !== undefined && !isJsonObject(body['file'])) throw new ControlError('file must be an object');
  requireWriter(body);
  return body as unknown as UserMessageInput;
}

function toAlbum(body: JsonObject): AlbumInput {
  const files = body['files'];
  if (!Array.isArray(files) || !files.every(isJsonObject)) throw new ControlError('files must be a list of objects');
  requireWriter(body);
  return body as unknown as AlbumInput;
}

function requireWriter(body: JsonObject): void {
  for (const name of ['chat', 'from']) if (body[name] === undefined) throw new ControlError(`${name} is missing`);
}

function toChat(value: unknown): ChatSeed {
  if (typeof value === 'number') return { id: value };
  if (!isJsonObject(value) || typeof value['id'] !== 'number')
    throw new ControlError('chat must be an id or an object');
  return value as unknown as ChatSeed;
}

function toShutOut(body: JsonObject): ShutOut | null {
  if (body['blocked'] === false) return null;
  return body['reason'] === 'deactivated' ? 'deactivated' : 'blocked';
}

function toEdit(body: JsonObject): EditInput {
  return {
    token: requireString(body, 'token'),
    chat: requireNumber(body, 'chat'),
    message_id: requireNumber(body, 'message_id'),
    text: requireString(body, 'text'),
  };
}

function toClick(body: JsonObject): ClickInput {
  requireNumber(body, 'chat');
  requireNumber(body, 'message_id');
  requireString(body, 'data');
  return body as unknown as ClickInput;
}

function setLimits(world: World, body: JsonObject): void {
  const { token, ...limits } = body;
  const bots = token === undefined ? world.all() : [world.require(token)];
  for (const bot of bots) bot.flood.limits = limits as FloodLimits;
}
