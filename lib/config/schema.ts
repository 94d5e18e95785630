import * as v from 'valibot';
import { parseDuration } from '../duration.ts';
import { LOG_LEVELS } from '../log-level.ts';
import { describe } from './describe.ts';
import { authGuardSettings, guardSettings } from './guard.ts';
import { telegram } from './telegram.ts';
import { webhook } from './webhook.ts';
import { weixin } from './weixin.ts';

/** A duration such as `"25s"` or a number of seconds, held as milliseconds. */
const duration = (fallback: string) =>
  v.optional(
    v.pipe(
      v.union(
        [v.string(), v.pipe(v.number(), v.minValue(0))],
        'must be a duration such as "30s", "5m" or a number of seconds',
      ),
      v.transform((value) => parseDuration(String(value))),
      v.number('must be a duration such as "500ms", "30s", "5m", "1h" or a number of seconds'),
    ),
    fallback,
  );

const integer = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));

/** `"provider/model"`, or a chain of them. */
const modelChoice = v.union(
  [v.string(), v.object({ primary: v.string(), fallbacks: v.optional(v.array(v.string()), []) })],
  'must be "provider/model" or {"primary", "fallbacks"}',
);

const auth = v.object({
  mode: describe(v.optional(v.picklist(['token', 'password', 'none']), 'token'), 'How callers prove who they are.'),
  token: describe(
    v.optional(v.string()),
    'Token of mode "token". Left out: one is generated and kept in credentials/.',
  ),
  password: describe(v.optional(v.string()), 'Password of mode "password".'),
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
  auth: v.optional(auth, {}),
  ...guardSettings,
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
  channelConnectDeferIds: v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.maxLength(24)), []),
  channelConnectDeferSkipIds: v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.maxLength(24)), []),
});

const agentProfile = {
  model: describe(v.optional(modelChoice), 'Model reference "provider/model", or a primary one with fallbacks.'),
  systemPrompt: describe(v.optional(v.string()), 'Instructions sent before the conversation.'),
  maxTokens: describe(v.optional(integer(1, 1_000_000)), 'Longest answer, in tokens.'),
  temperature: describe(v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))), 'Randomness, 0 to 2.'),
  historyLimit: describe(v.optional(integer(0, 1_000)), 'Newest messages of the session that the model sees.'),
};

const agents = v.object({
  default: describe(v.optional(v.string()), 'Agent id used when nothing names one.'),
  maxConcurrentTurns: describe(v.optional(integer(1, 1_000), 20), 'Turns that run at the same time, one per session.'),
  turnTimeout: describe(duration('10m'), 'Longest single turn.'),
  defaults: describe(v.optional(v.object(agentProfile), {}), 'Settings of every agent that does not set its own.'),
  list: v.optional(
    v.array(
      v.object({
        id: v.pipe(
          v.string(),
          v.regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be lower-case letters, digits, "-" and "_"'),
        ),
        name: v.optional(v.string()),
        enabled: v.optional(v.boolean(), true),
        default: v.optional(v.boolean(), false),
        ...agentProfile,
      }),
    ),
    [],
  ),
});

const provider = v.union(
  [
    v.string(),
    v.object({
      api: describe(
        v.optional(v.picklist(['openai', 'anthropic'])),
        'Wire protocol; "openai" is any compatible server.',
      ),
      baseUrl: v.optional(v.pipe(v.string(), v.url('must be a URL'))),
      apiKey: v.optional(v.string()),
      headers: v.optional(v.record(v.string(), v.string())),
      models: describe(v.optional(v.array(v.string())), 'Model ids to offer.'),
      requestTimeout: describe(duration('2m'), 'Longest silence of the provider before a request is given up.'),
    }),
  ],
  'must be an API key or {"baseUrl", "apiKey", ...}',
);

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
        channel: v.pipe(v.string(), v.nonEmpty()),
        accountId: v.optional(v.pipe(v.string(), v.nonEmpty()), 'default'),
        chatId: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty()),
      }),
    ),
    'The chat in which the owner is told what needs a person, at most once an hour each.',
  ),
});

/** The configuration: one definition gives types, defaults, validation and the JSON Schema for editors. */
export const configSchema = v.object({
  $schema: v.optional(v.string()),
  gateway: v.optional(gateway, {}),
  agents: v.optional(agents, {}),
  providers: describe(v.optional(v.record(v.string(), provider), {}), 'Model providers by id.'),
  session: v.optional(
    v.object({
      dmScope: describe(
        v.optional(
          v.picklist(['main', 'per-peer', 'per-channel-peer', 'per-account-channel-peer']),
          'per-channel-peer',
        ),
        'Which private chats share one session.',
      ),
    }),
    {},
  ),
  commands: v.optional(
    v.object({
      restart: describe(v.optional(v.boolean(), true), 'Whether SIGUSR1 and the API may restart the gateway.'),
    }),
    {},
  ),
  channels: v.optional(
    v.object({ telegram: v.optional(telegram, {}), webhook: v.optional(webhook, {}), weixin: v.optional(weixin, {}) }),
    {},
  ),
  logging: v.optional(v.object({ level: v.optional(v.picklist(LOG_LEVELS), 'info') }), {}),
  outbox: v.optional(outbox, {}),
  alerts: v.optional(alerts, {}),
  store: v.optional(
    v.object({
      durability: describe(
        v.optional(v.picklist(['full', 'normal']), 'full'),
        '"full" survives power loss; "normal" may lose the last moments then, never on a crash.',
      ),
    }),
    {},
  ),
});

/** What a user may write; everything is optional. */
export type ConfigInput = v.InferInput<typeof configSchema>;

/** What the program runs with: complete. */
export type Config = v.InferOutput<typeof configSchema>;
