import * as v from 'valibot';

/** The part of OpenAI's chat completions API that the gateway speaks (platform.openai.com/docs/api-reference/chat). */

const textPart = v.object({
  type: v.literal('text', 'only parts of the type "text" are understood'),
  text: v.string(),
});

const content = v.union(
  [v.string(), v.array(textPart)],
  'content must be a string or a list of parts of the type "text"; images and sound are not understood here',
);

const chatMessage = v.object({
  role: v.picklist(
    ['system', 'developer', 'user', 'assistant'],
    'role must be system, developer, user or assistant; tool messages are not understood here',
  ),
  content,
});

/** A setting that OpenAI has and we have not: only the value that changes nothing is taken, so that none is dropped in silence. */
const neutral = <const Value extends number | boolean>(name: string, value: Value) =>
  v.nullish(v.literal(value, `${name} is not supported; leave it out or send ${value}`));

const none = (name: string) => v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(0, `${name} are not supported`)));

const number = (name: string, minimum: number, maximum: number) =>
  v.pipe(
    v.number(`${name} must be a number`),
    v.minValue(minimum, `${name} must be at least ${minimum}`),
    v.maxValue(maximum, `${name} must be at most ${maximum}`),
  );

const tokens = (name: string) => v.pipe(number(name, 1, 1_000_000), v.integer(`${name} must be a whole number`));

export const completionRequest = v.object({
  model: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(256),
    v.description('An agent of the gateway, or provider/model for the default agent with that model.'),
  ),
  messages: v.pipe(
    v.array(chatMessage),
    v.minLength(1, 'messages must not be empty'),
    v.maxLength(2_000, 'messages must have at most 2000 entries'),
    v.check((messages) => messages.at(-1)?.role === 'user', 'the last of the messages must be of the role user'),
  ),
  stream: v.nullish(v.boolean('stream must be true or false')),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean()) })),
  user: v.nullish(
    v.pipe(
      v.string(),
      v.regex(/\S/, 'user must not be empty'),
      v.maxLength(256),
      v.description(
        'Names a conversation that the gateway keeps: then only the last message counts. Without it nothing is kept.',
      ),
    ),
  ),
  temperature: v.nullish(number('temperature', 0, 2)),
  max_tokens: v.nullish(tokens('max_tokens')),
  max_completion_tokens: v.nullish(tokens('max_completion_tokens')),
  n: neutral('n', 1),
  top_p: neutral('top_p', 1),
  presence_penalty: neutral('presence_penalty', 0),
  frequency_penalty: neutral('frequency_penalty', 0),
  logprobs: neutral('logprobs', false),
  stop: none('stop sequences'),
  tools: none('tools'),
  functions: none('functions'),
  response_format: v.nullish(v.object({ type: v.literal('text', 'only the response_format "text" is supported') })),
});

export type CompletionRequest = v.InferOutput<typeof completionRequest>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const usage = v.strictObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count });

export const completionAnswer = v.strictObject({
  id: v.string(),
  object: v.literal('chat.completion'),
  created: count,
  model: v.string(),
  choices: v.array(
    v.strictObject({
      index: count,
      message: v.strictObject({ role: v.literal('assistant'), content: v.string(), refusal: v.null() }),
      finish_reason: v.picklist(['stop', 'length']),
      logprobs: v.null(),
    }),
  ),
  usage: v.exactOptional(usage),
});

export const modelListAnswer = v.strictObject({
  object: v.literal('list'),
  data: v.array(v.strictObject({ id: v.string(), object: v.literal('model'), created: count, owned_by: v.string() })),
});

/** The body of every error answer below `/v1`. */
export const openAiErrorAnswer = v.strictObject({
  error: v.strictObject({
    message: v.string(),
    type: v.string(),
    param: v.nullable(v.string()),
    code: v.pipe(v.string(), v.description('A code of the other routes, in small letters.')),
  }),
});

export type OpenAiErrorBody = v.InferOutput<typeof openAiErrorAnswer>;
export type CompletionAnswer = v.InferOutput<typeof completionAnswer>;
export type CompletionUsage = v.InferOutput<typeof usage>;
