import type { BodyPart, Reply } from '../core/exchange.ts';
import type { ReplyPlan } from './plan.ts';
import { renderParts, streamHeaders } from './stream.ts';

/** Who answers: the id and time that every chunk of one answer repeats. */
export interface AnswerStamp {
  readonly seq: number;
  readonly created: number;
  readonly model: string;
}

/** The whole answer as one `chat.completion` object. */
export function renderCompletion(plan: ReplyPlan, stamp: AnswerStamp): Reply {
  const toolCalls = plan.tool === null ? {} : { tool_calls: [toolCall(plan.tool, stamp)] };
  const body = {
    id: `chatcmpl-emu-${stamp.seq}`,
    object: 'chat.completion',
    created: stamp.created,
    model: stamp.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: plan.tool === null ? plan.text : null, ...toolCalls },
        logprobs: null,
        finish_reason: finishReason(plan),
      },
    ],
    usage: usage(plan),
  };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: completeBody(plan, body) };
}

/** The answer as `chat.completion.chunk` server-sent events, ended by `[DONE]`. */
export function streamCompletion(plan: ReplyPlan, stamp: AnswerStamp, includeUsage: boolean): Reply {
  const head = `data: {"id":"chatcmpl-emu-${stamp.seq}","object":"chat.completion.chunk","created":${stamp.created},"model":${JSON.stringify(stamp.model)},"choices":[`;
  const noUsage = includeUsage ? ',"usage":null' : '';
  const chunk = (delta: string, finish: string): string =>
    `${head}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]${noUsage}}\n\n`;
  const deltas =
    plan.tool === null
      ? plan.deltas.map((text) => chunk(`{"content":${JSON.stringify(text)}}`, 'null'))
      : [chunk(JSON.stringify({ tool_calls: [{ index: 0, ...toolCall(plan.tool, stamp) }] }), 'null')];
  const usageChunk = includeUsage ? `${head}],"usage":${JSON.stringify(usage(plan))}}\n\n` : '';
  return {
    status: 200,
    headers: streamHeaders,
    body: renderParts(plan, {
      opening: '',
      beforeFirst: chunk('{"role":"assistant","content":""}', 'null'),
      deltas,
      closing: `${chunk('{}', `"${finishReason(plan)}"`)}${usageChunk}data: [DONE]\n\n`,
    }),
  };
}

function completeBody(plan: ReplyPlan, body: unknown): string | BodyPart[] {
  const text = JSON.stringify(body);
  if (plan.cutAfter !== null) return [{ kind: 'cut' }];
  const waitMs = plan.firstDelayMs + plan.gapMs * Math.max(0, plan.deltas.length - 1);
  return waitMs === 0 ? text : [{ kind: 'text', waitMs, text }];
}

function toolCall(tool: { name: string; json: string }, stamp: AnswerStamp): object {
  return {
    id: `call_emu_${stamp.seq}`,
    type: 'function',
    function: { name: tool.name, arguments: tool.json },
  };
}

function finishReason(plan: ReplyPlan): 'stop' | 'tool_calls' {
  return plan.tool === null ? 'stop' : 'tool_calls';
}

function usage(plan: ReplyPlan): object {
  return {
    prompt_tokens: plan.promptTokens,
    completion_tokens: plan.completionTokens,
    total_tokens: plan.promptTokens + plan.completionTokens,
  };
}
