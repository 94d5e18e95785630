import * as v from 'valibot';
import { describe } from './describe.ts';

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
