import * as v from 'valibot';
import { describe } from './describe.ts';
import { integer } from './numbers.ts';

/** Channels that are still to come. */

const ids = v.optional(v.array(v.union([v.string(), v.number()])));
const openObject = v.record(v.string(), v.unknown());

/** `channels.feishu`. */
export const feishu = v.object({
  enabled: describe(v.optional(v.boolean()), 'Whether the channel runs. Default false.'),
  dmPolicy: describe(
    v.optional(v.picklist(['pairing', 'allowlist', 'open', 'disabled'])),
    'Who may write in private: after pairing, listed ids, anyone, nobody. Default pairing.',
  ),
  allowFrom: describe(ids, 'Ids that need no pairing.'),
  historyLimit: describe(
    v.optional(integer(0, 1_000)),
    'Newest messages of the session that the model sees. Default 50.',
  ),
  textChunkLimit: describe(
    v.optional(integer(1, 100_000)),
    'Longest single message; longer ones are split. Default 4000.',
  ),
  accounts: describe(v.optional(v.record(v.string(), openObject)), 'Accounts by id; each may set the same keys.'),
  domain: describe(v.optional(v.picklist(['feishu', 'lark'])), 'Which of the two services. Default feishu.'),
  appId: describe(v.optional(v.string()), 'Id of the app.'),
  appSecret: describe(v.optional(v.string()), 'Secret of the app.'),
  connectionMode: describe(v.optional(v.picklist(['websocket', 'webhook'])), 'How events come in. Default websocket.'),
  verificationToken: describe(v.optional(v.string()), 'Token of incoming calls; needed by webhook.'),
  encryptKey: describe(v.optional(v.string()), 'Key of incoming calls; needed by webhook.'),
  webhookHost: describe(v.optional(v.string()), 'Address to listen on by webhook. Default 127.0.0.1.'),
  webhookPort: describe(v.optional(integer(0, 65_535)), 'Port to listen on by webhook. Default 3000.'),
  webhookPath: describe(v.optional(v.string()), 'Path of incoming calls. Default /feishu/events.'),
  groupPolicy: describe(
    v.optional(v.picklist(['open', 'allowlist', 'disabled'])),
    'Who is heard in groups: anyone, listed ids, nobody.',
  ),
  groupAllowFrom: describe(ids, 'Ids that are heard in every group.'),
  requireMention: describe(v.optional(v.boolean()), 'Whether the bot answers in groups only when it is mentioned.'),
  renderMode: describe(v.optional(v.string()), 'How answers look. Default card.'),
  reactionNotifications: describe(v.optional(v.string()), 'Which reactions the agent hears of. Default own.'),
  actions: describe(
    v.optional(v.object({ reactions: v.optional(v.boolean()) })),
    'What the agent may do besides writing.',
  ),
  streaming: describe(v.optional(v.boolean()), 'Whether an answer grows in the chat.'),
  tools: describe(
    v.optional(v.record(v.string(), v.boolean())),
    'Tools of the service: doc, wiki, drive, perm, bitable, scopes.',
  ),
  defaultAccount: describe(v.optional(v.string()), 'Account used when nothing names one.'),
});
