import { resolvePaths } from '../../lib/paths.ts';
import { type Call, callOrFail, findEndpoint } from '../client.ts';
import type { CommandContext } from '../context.ts';

type Message = {
  id: string;
  channel: string;
  account_id: string;
  chat_id: string;
  content: string;
  file?: { name: string };
  state: string;
  attempts: number;
  created_at: string;
  last_error?: string;
};

/** `xopc gateway outbox list`: what waits and what was given up, newest first. */
export async function listOutbox(context: CommandContext, options: Record<string, unknown>): Promise<void> {
  const query = new URLSearchParams({ state: String(options['state']), limit: String(options['limit']) });
  const answer = await call(context, { method: 'GET', path: `/api/outbox?${query}` });
  if (options['json'] === true) return context.output.json({ ok: true, ...answer });
  const { output } = context;
  const items = answer['items'] as Message[];
  for (const item of items) output.line(output.text('outboxItem', describe(item)));
  output.line(output.text('outboxTotal', { pending: String(answer['pending']), dead: String(answer['dead']) }));
}

/** `xopc gateway outbox retry ID`. */
export async function retryMessage(
  context: CommandContext,
  id: string,
  options: Record<string, unknown>,
): Promise<void> {
  const answer = await call(context, { method: 'POST', path: `/api/outbox/${encodeURIComponent(id)}/retry` });
  if (options['json'] === true) return context.output.json({ ok: true, message_id: answer['message_id'] });
  context.output.headline('✅', context.output.text('outboxRetried', { id, copy: String(answer['message_id']) }));
}

/** `xopc gateway outbox drop ID`. */
export async function dropMessage(
  context: CommandContext,
  id: string,
  options: Record<string, unknown>,
): Promise<void> {
  await call(context, { method: 'DELETE', path: `/api/outbox/${encodeURIComponent(id)}` });
  if (options['json'] === true) return context.output.json({ ok: true });
  context.output.headline('✅', context.output.text('outboxDropped', { id }));
}

async function call({ env, output, configFlag }: CommandContext, request: Call): Promise<Record<string, unknown>> {
  return callOrFail(await findEndpoint(resolvePaths(env, configFlag), env), request, output);
}

function describe(message: Message): Record<string, string> {
  const {
    id,
    state,
    channel,
    account_id: account,
    chat_id: chat,
    created_at: at,
    content,
    file,
    last_error: error,
  } = message;
  const words = file === undefined ? content : `[${file.name}] ${content}`.trimEnd();
  const text = [...words.replace(/\s+/g, ' ')].slice(0, 60).join('');
  return { id, state, channel, account, chat, at, text, error: error === undefined ? '' : ` – ${error}` };
}
