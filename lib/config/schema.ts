import * as v from 'valibot';
import { LOG_LEVELS } from '../log-level.ts';
import { agents } from './agents.ts';
import { cron, heartbeat } from './cron.ts';
import { describe, reserve } from './describe.ts';
import { bindings, extensions, mcp, tools } from './future.ts';
import { feishu } from './future-channels.ts';
import { authGuardSettings, guardSettings } from './guard.ts';
import { duration, integer } from './numbers.ts';
import { models, providers } from './providers.ts';
import { telegram } from './telegram.ts';
import { webhook } from './webhook.ts';
import { weixin } from './weixin.ts';

const auth = v.object({
  mode: describe(v.optional(v.picklist(['token', 'password', 'none']), 'token'), 'How callers prove who they are.'),
  token: describe(
    v.optional(v.string()),
    'Token of mode "token". Left out: one is generated and kept in credentials/.',
  ),
  password: describe(v.optional(v.string()), 'Password of mode "password".'),
  rotationGrace: describe(
    duration('10m'),
    'How long the old token or password is still taken after it was changed in this file; 0 not at all.',
  ),
  allowUnauthenticatedNetwork: describe(
    v.optional(v.boolean(), false),
    'Allows mode "none" beyond loopback. Anyone who reaches the port is then the owner.',
  ),
  ...authGuardSettings,
});

const gateway = v.object({
  bind: describe(
    v.optional(v.picklist(['loopback', 'lan', 'auto', 'tailnet', 'custom'])),
    'Where to listen: this machine, all interfaces, by container, the tailnet, or customBindHost. Default loopback.',
  ),
  customBindHost: describe(v.optional(v.string()), 'Address to listen on when bind is "custom".'),
  host: describe(v.optional(v.string()), 'Older spelling of bind and customBindHost.'),
  port: describe(v.optional(integer(0, 65_535), 18_790), 'TCP port; 0 takes any free one.'),
  ...guardSettings,
  auth: describe(v.optional(auth, {}), 'The credential of callers.'),
  maxSseConnections: describe(v.optional(integer(1, 100_000), 100), 'Open event streams before further ones get 503.'),
  drainTimeout: describe(
    duration('25s'),
    'How long a stop waits for running turns. What is not finished then is resumed at the next start.',
  ),
  standby: describe(
    v.optional(v.boolean(), false),
    'Keeps a second worker booted, which serves within milliseconds after a crash; takes about 30 MB.',
  ),
  hangTimeout: describe(
    v.pipe(
      duration('15s'),
      // Signs of life come each second.
      v.check((value) => value === 0 || value >= 3_000, 'must be 0 or at least 3s'),
    ),
    'How long the main loop of a worker may be silent before the worker is killed, at least 3 s; 0 never. Another worker takes over after a third of it, at most 5 s.',
  ),
  maxRssMb: describe(
    v.optional(integer(0, 1_048_576)),
    'Memory of a worker, in MB, above which it is replaced after a minute; 0 never. Default 60 % of the memory of the machine or container.',
  ),
  crashLimit: describe(
    v.optional(integer(0, 1_000), 5),
    'Crashes within ten minutes after which the gateway goes on in safe mode, without channels, cron and extensions; 0 never.',
  ),
  channelConnectDeferMode: describe(
    v.optional(v.picklist(['auto', 'off', 'explicit']), 'auto'),
    'Which channels connect only after the HTTP port listens.',
  ),
  channelConnectDeferIds: describe(
    v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.maxLength(24)), []),
    'Channels that wait in mode "explicit", 24 at most.',
  ),
  channelConnectDeferSkipIds: describe(
    v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.maxLength(24)), []),
    'Channels that never wait, 24 at most.',
  ),
  enableHotReload: describe(
    v.optional(v.boolean(), true),
    'Whether a change of this file takes effect while the gateway runs.',
  ),
  heartbeat: describe(
    v.optional(heartbeat, {}),
    'The agent looks by itself now and then whether there is something to do. Older place: heartbeat beside gateway.',
  ),
});

const outbox = v.object({
  ambiguous: describe(
    v.optional(v.picklist(['resend', 'resend-marked', 'drop']), 'resend-marked'),
    'A message that may or may not have arrived when we crashed: send again, send again with a visible mark, or give up.',
  ),
  replyTtl: describe(duration('24h'), 'Age after which an undelivered reply of the agent becomes a dead letter.'),
  messageTtl: describe(duration('24h'), 'The same for a message that was ordered over the API.'),
  noticeTtl: describe(duration('1h'), 'The same for a word of the gateway itself, such as a pairing code.'),
  mediaHosts: describe(
    v.optional(
      v.array(
        v.pipe(
          v.string(),
          v.regex(/^[^\s/@?#]+$/, 'must be a host as it stands in a URL, such as "nas.lan:8080"'),
          v.toLowerCase(),
        ),
      ),
      [],
    ),
    'Hosts of your own network, with their port unless it is the usual one, from which media_url may be fetched. Left out: only the public internet.',
  ),
});

const alerts = v.object({
  owner: describe(
    v.optional(
      v.object({
        channel: describe(v.pipe(v.string(), v.nonEmpty()), 'Id of the channel.'),
        accountId: describe(v.optional(v.pipe(v.string(), v.nonEmpty()), 'default'), 'Account of the channel.'),
        chatId: v.pipe(
          describe(v.union([v.string(), v.number()]), 'Id of the chat.'),
          v.transform(String),
          v.nonEmpty(),
        ),
      }),
    ),
    'The chat in which the owner is told what needs a person, at most once an hour each.',
  ),
});

const session = v.object({
  dmScope: describe(
    v.optional(v.picklist(['main', 'per-peer', 'per-channel-peer', 'per-account-channel-peer']), 'per-channel-peer'),
    'Which private chats share one session.',
  ),
  identityLinks: reserve(v.record(v.string(), v.array(v.string())), 'Names of one person on several channels.'),
  storage: reserve(
    v.object({ pruneAfterMs: v.optional(integer(0, 1e13)), maxEntries: v.optional(integer(1, 1e9)) }),
    'How long and how many sessions are kept.',
  ),
  scope: reserve(v.string(), 'What a session belongs to.'),
  mainKey: reserve(v.string(), 'Name of the main session.'),
  reset: reserve(
    v.object({ atHour: v.optional(integer(0, 23)), idleMinutes: v.optional(integer(0, 5_256_000)) }),
    'When a session begins anew: at an hour of the day, or after minutes of silence.',
  ),
  resetTriggers: reserve(v.array(v.string()), 'Messages that begin a session anew.'),
});

const logging = v.object({
  level: describe(v.optional(v.picklist(LOG_LEVELS), 'info'), 'The least that is written to the log.'),
  dir: reserve(v.string(), 'Folder of the log.'),
  console: reserve(v.boolean(), 'Whether the log goes to the terminal.'),
  file: reserve(v.boolean(), 'Whether the log goes to a file.'),
  retentionDays: reserve(integer(1, 3_650), 'Days for which old logs are kept.'),
});

/** The configuration: one definition gives types, defaults, validation and the JSON Schema for editors. */
export const configSchema = v.object({
  $schema: describe(v.optional(v.string()), 'Where editors find the description of this file.'),
  gateway: describe(v.optional(gateway, {}), 'Where the gateway listens and how it runs.'),
  agents: describe(v.optional(agents, {}), 'Who answers, and with which model.'),
  providers: describe(v.optional(providers, {}), 'Model providers by id: a key, or an object.'),
  models: reserve(models, 'Models besides those that providers tell.'),
  session: describe(v.optional(session, {}), 'Which messages belong together.'),
  bindings: reserve(bindings, 'Which agent answers where.'),
  commands: describe(
    v.optional(
      v.object({
        restart: describe(v.optional(v.boolean(), true), 'Whether SIGUSR1 and the API may restart the gateway.'),
      }),
      {},
    ),
    'What may be ordered.',
  ),
  cron: describe(v.optional(cron, {}), 'Work at set times.'),
  extensions: reserve(extensions, 'Extensions; every other key is the configuration of one.'),
  channels: describe(
    v.optional(
      v.object({
        telegram: describe(v.optional(telegram, {}), 'Telegram: what holds for every account, and the accounts.'),
        webhook: describe(v.optional(webhook, {}), 'Programs of your own that bring messages and hear the answers.'),
        weixin: describe(v.optional(weixin, {}), 'Weixin: what holds for every account, and the accounts.'),
        feishu: reserve(feishu, 'Feishu and Lark.'),
      }),
      {},
    ),
    'Chat apps.',
  ),
  tools: reserve(tools, "Settings of the agents' tools, by tool."),
  mcp: reserve(mcp, 'Servers with tools for the agents.'),
  logging: describe(v.optional(logging, {}), 'The log.'),
  outbox: describe(v.optional(outbox, {}), 'Messages that wait to be delivered.'),
  alerts: describe(v.optional(alerts, {}), 'Who is told of trouble.'),
  store: describe(
    v.optional(
      v.object({
        durability: describe(
          v.optional(v.picklist(['full', 'normal']), 'full'),
          '"full" survives power loss; "normal" may lose the last moments then, never on a crash.',
        ),
      }),
      {},
    ),
    'The database.',
  ),
});

/** What a user may write; everything is optional. */
export type ConfigInput = v.InferInput<typeof configSchema>;

/** What the program runs with: complete. */
export type Config = v.InferOutput<typeof configSchema>;
