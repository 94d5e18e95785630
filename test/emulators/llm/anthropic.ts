import type { Reply } from '../core/exchange.ts';
import type { AnswerStamp } from './openai.ts';
import type { ReplyPlan } from './plan.ts';
import { renderParts, streamHeaders } from './stream.ts';

/** The whole answer as one Anthropic message. */
export function renderMessage(plan: ReplyPlan, stamp: AnswerStamp): Reply {
  const content =
    plan.tool === null
      ? [{ type: 'text', text: plan.text }]
      : [{ type: 'tool_use', id: toolId(stamp), name: plan.tool.name, input: JSON.parse(plan.tool.json) }];
  const text = JSON.stringify({
    ...messageShell(stamp),
    content,
    stop_reason: stopReason(plan),
    usage: { input_tokens: plan.promptTokens, output_tokens: plan.completionTokens },
  });
  const headers = { 'content-type': 'application/json' };
  if (plan.cutAfter !== null) return { status: 200, headers, body: [{ kind: 'cut' }] };
  const waitMs = plan.firstDelayMs + plan.gapMs * Math.max(0, plan.deltas.length - 1);
  return { status: 200, headers, body: waitMs === 0 ? text : [{ kind: 'text', waitMs, text }] };
}

/** The answer as Anthropic's named server-sent events, from `message_start` to `message_stop`. */
export function streamMessage(plan: ReplyPlan, stamp: AnswerStamp): Reply {
  const start = {
    ...messageShell(stamp),
    content: [],
    stop_reason: null,
    usage: { input_tokens: plan.promptTokens, output_tokens: 1 },
  };
  const block =
    plan.tool === null
      ? { type: 'text', text: '' }
      : { type: 'tool_use', id: toolId(stamp), name: plan.tool.name, input: {} };
  const deltas =
    plan.tool === null
      ? plan.deltas.map((text) => ({ type: 'text_delta', text }))
      : [{ type: 'input_json_delta', partial_json: plan.tool.json }];
  return {
    status: 200,
    headers: streamHeaders,
    body: renderParts(plan, {
      opening: renderEvent('message_start', { message: start }) + renderEvent('ping', {}),
      beforeFirst: renderEvent('content_block_start', { index: 0, content_block: block }),
      deltas: deltas.map((delta) => renderEvent('content_block_delta', { index: 0, delta })),
      closing:
        renderEvent('content_block_stop', { index: 0 }) +
        renderEvent('message_delta', {
          delta: { stop_reason: stopReason(plan), stop_sequence: null },
          usage: { output_tokens: plan.completionTokens },
        }) +
        renderEvent('message_stop', {}),
    }),
  };
}

function renderEvent(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function messageShell(stamp: AnswerStamp): object {
  return {
    id: `msg_emu_${stamp.seq}`,
    type: 'message',
    role: 'assistant',
    model: stamp.model,
    stop_sequence: null,
  };
}

function toolId(stamp: AnswerStamp): string {
  return `toolu_emu_${stamp.seq}`;
}

function stopReason(plan: ReplyPlan): 'end_turn' | 'tool_use' {
  return plan.tool === null ? 'end_turn' : 'tool_use';
}
