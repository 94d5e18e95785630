import * as v from 'valibot';
import { describe } from './describe.ts';
import { integer } from './numbers.ts';

/** Sections of features that are still to come: their shape is checked already, so that a file needs no change later. */

const openObject = v.record(v.string(), v.unknown());
const words = v.optional(v.array(v.string()));

/** `bindings`: which agent answers where. */
export const bindings = v.array(
  v.object({
    id: describe(v.optional(v.string()), 'Name of the rule.'),
    agentId: describe(v.string(), 'Agent that answers.'),
    priority: describe(v.optional(v.number()), 'The rule with the highest number wins. Default 100.'),
    enabled: describe(v.optional(v.boolean()), 'False: the rule is passed over.'),
    match: describe(
      v.object({
        channel: describe(v.string(), 'Id of the channel.'),
        accountId: describe(v.optional(v.string()), 'Account of the channel.'),
        peerKind: describe(v.optional(v.string()), 'Kind of chat, such as "direct" or "group".'),
        peerId: describe(v.optional(v.string()), 'Id of the chat; "*" stands for any characters.'),
        guildId: describe(v.optional(v.string()), 'Id of the server, where a channel has them.'),
        teamId: describe(v.optional(v.string()), 'Id of the team, where a channel has them.'),
        memberRoleIds: describe(words, 'Roles of the sender, where a channel has them.'),
      }),
      'Where the rule holds; everything that is named must fit.',
    ),
  }),
);

/** `cron`: work at set times. */
export const cron = v.object({
  enabled: describe(v.optional(v.boolean()), 'Whether jobs run. Default true.'),
  maxConcurrentJobs: describe(v.optional(integer(1, 1_000)), 'Jobs that run at the same time. Default 5.'),
  defaultTimezone: describe(v.optional(v.string()), 'Time zone of jobs that name none. Default UTC.'),
  historyRetentionDays: describe(v.optional(integer(0, 3_650)), 'Days for which past runs are kept. Default 7.'),
  enableMetrics: describe(v.optional(v.boolean()), 'Whether runs are counted. Default true.'),
  jobs: describe(v.optional(v.array(openObject)), 'Jobs that the file itself holds.'),
});

/** `gateway.heartbeat`, also `heartbeat`: the agent is woken now and then. */
export const heartbeat = v.object({
  enabled: describe(v.optional(v.boolean()), 'Whether the agent is woken. Default true.'),
  intervalMs: describe(v.optional(integer(1_000, 86_400_000)), 'How often, in milliseconds. Default 1800000.'),
  includeSystemPromptSection: describe(v.optional(v.boolean()), 'Whether the instructions of an agent name it.'),
  target: describe(v.optional(v.string()), 'Channel that hears what the agent says then.'),
  targetChatId: describe(v.optional(v.string()), 'Chat of that channel.'),
  prompt: describe(v.optional(v.string()), 'What the agent is asked.'),
  ackMaxChars: describe(v.optional(integer(0, 100_000)), 'An answer up to this length means "nothing to say".'),
  isolatedSession: describe(v.optional(v.boolean()), 'Whether it has a session of its own.'),
  activeHours: describe(
    v.optional(v.object({ start: v.string(), end: v.string(), timezone: v.optional(v.string()) })),
    'Hours of the day ("08:00" to "22:00") outside of which it sleeps.',
  ),
});

/** `extensions`: which ones are loaded; every other key is the configuration of one. */
export const extensions = v.objectWithRest(
  {
    enabled: describe(
      v.optional(v.union([v.boolean(), v.array(v.string())])),
      'Ids that are loaded; false: none at all.',
    ),
    disabled: describe(words, 'Ids that are not loaded.'),
    allow: describe(words, 'Ids that may be loaded at all.'),
    security: describe(
      v.optional(
        v.object({
          checkPermissions: describe(v.optional(v.boolean()), 'Whether extensions may do only what they declare.'),
          allowUntrusted: describe(v.optional(v.boolean()), 'Whether extensions of unknown origin are loaded.'),
          allow: describe(words, 'Ids that are trusted.'),
          trackProvenance: describe(v.optional(v.boolean()), 'Whether the origin of each is kept.'),
          allowPromptInjection: describe(v.optional(v.boolean()), 'Whether they may change what the agent is told.'),
        }),
      ),
      'What extensions may do.',
    ),
    slots: describe(
      v.optional(
        v.object({
          memory: describe(v.optional(v.string()), 'Id of the extension that remembers.'),
          tts: describe(v.optional(v.string()), 'Id of the extension that speaks.'),
          imageGeneration: describe(v.optional(v.string()), 'Id of the extension that makes pictures.'),
          webSearch: describe(v.optional(v.string()), 'Id of the extension that searches the web.'),
        }),
      ),
      'Which extension does what only one can do.',
    ),
  },
  v.unknown(),
);

/** `mcp`: servers with tools for the agents. */
export const mcp = v.object({
  servers: describe(
    v.optional(
      v.record(
        v.string(),
        v.object({
          command: describe(v.optional(v.string()), 'Program that is started.'),
          args: describe(words, 'Its arguments.'),
          env: describe(v.optional(v.record(v.string(), v.string())), 'Its environment.'),
          url: describe(v.optional(v.string()), 'Address of a server that runs elsewhere.'),
          headers: describe(v.optional(v.record(v.string(), v.string())), 'Headers sent to it.'),
          enabled: describe(v.optional(v.boolean()), 'False: it is not used.'),
        }),
      ),
    ),
    'Servers by name.',
  ),
});

/** `tools`: settings of the agents' tools, by tool. */
export const tools = openObject;
