import * as v from 'valibot';
import { describe, reserve } from './describe.ts';
import { duration, integer } from './numbers.ts';

/** `"provider/model"`, or a chain of them. */
const modelChoice = v.union(
  [v.string(), v.object({ primary: v.string(), fallbacks: v.optional(v.array(v.string()), []) })],
  'must be "provider/model" or {"primary", "fallbacks"}',
);

const imageGenerationChoice = v.union(
  [
    v.string(),
    v.object({
      primary: v.optional(v.string()),
      fallbacks: v.optional(v.array(v.string())),
      timeoutMs: describe(v.optional(integer(1, 3_600_000)), 'Longest wait for a picture, in milliseconds.'),
      autoProviderFallback: describe(v.optional(v.boolean()), 'Whether other providers with a key are tried as well.'),
    }),
  ],
  'must be "provider/model" or {"primary", "fallbacks", "timeoutMs", "autoProviderFallback"}',
);

const openObject = v.record(v.string(), v.unknown());

const profile = {
  model: describe(v.optional(modelChoice), 'Model reference "provider/model", or a primary one with fallbacks.'),
  systemPrompt: describe(
    v.optional(v.string()),
    'Instructions sent before the conversation. Older spelling: systemPromptOverride.',
  ),
  maxTokens: describe(
    v.optional(integer(1, 1_000_000)),
    'Longest answer, in tokens. Default 8192. Older spelling: max_tokens.',
  ),
  temperature: describe(v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))), 'Randomness, 0 to 2.'),
  historyLimit: describe(
    v.optional(integer(0, 1_000)),
    'Newest messages of the session that the model sees. Default 50.',
  ),
  workspace: reserve(v.string(), 'Folder of the agents; each has one of its own in it.'),
  imageModel: reserve(modelChoice, 'Model that looks at pictures when the main one cannot.'),
  imageGenerationModel: reserve(imageGenerationChoice, 'Model that makes pictures, or a chain of them.'),
  mediaMaxMb: reserve(v.pipe(v.number(), v.gtValue(0)), 'Largest file that is shown to a model, in MB.'),
  maxToolIterations: reserve(
    integer(1, 1_000),
    'Rounds of tool calls in one turn. Older spelling: max_tool_iterations.',
  ),
  maxRequestsPerTurn: reserve(integer(10, 200), 'Requests to the provider in one turn.'),
  maxToolFailuresPerTurn: reserve(integer(1, 20), 'Failed tool calls after which a turn ends.'),
  maxTaskDurationMs: reserve(integer(60_000, 14_400_000), 'Longest task, in milliseconds.'),
  thinkingDefault: reserve(
    v.picklist(['off', 'minimal', 'low', 'medium', 'high', 'xhigh', 'adaptive']),
    'How much the model thinks before it answers.',
  ),
  reasoningDefault: reserve(v.picklist(['off', 'on', 'stream']), 'Whether that thinking is shown.'),
  verboseDefault: reserve(v.picklist(['off', 'on', 'full']), 'Whether tool calls are shown.'),
  skills: reserve(v.array(v.string()), 'Skills that the agent may use.'),
  tools: reserve(v.object({ disable: v.optional(v.array(v.string())) }), 'Tools that are switched off, in "disable".'),
  params: reserve(openObject, 'More parameters of the request to the model.'),
  compaction: reserve(openObject, 'How long conversations are summed up.'),
  pruning: reserve(openObject, 'How old tool results are left out.'),
  memory: reserve(openObject, 'What the agent remembers over sessions.'),
  browser: reserve(openObject, 'Browser of the agent.'),
};

const agent = v.object({
  id: describe(
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be lower-case letters, digits, "-" and "_"')),
    'Name of the agent in session keys and in the API.',
  ),
  name: describe(v.optional(v.string()), 'Name that people read.'),
  description: describe(
    v.optional(v.pipe(v.string(), v.maxLength(4_000))),
    'What the agent is for; a note for people.',
  ),
  enabled: describe(v.optional(v.boolean(), true), 'False: the agent takes no messages.'),
  default: describe(v.optional(v.boolean(), false), 'Whether it answers when nothing names an agent.'),
  agentDir: reserve(v.string(), 'Folder of this agent, in place of the one in workspace.'),
  ...profile,
});

/** `agents`: who answers, and with which model. */
export const agents = v.object({
  default: describe(v.optional(v.string()), 'Agent id used when nothing names one.'),
  maxConcurrentTurns: describe(v.optional(integer(1, 1_000), 20), 'Turns that run at the same time, one per session.'),
  turnTimeout: describe(duration('10m'), 'Longest single turn.'),
  defaults: describe(v.optional(v.object(profile), {}), 'Settings of every agent that does not set its own.'),
  list: describe(v.optional(v.array(agent), []), 'The agents. Left out: one, called "main".'),
});
