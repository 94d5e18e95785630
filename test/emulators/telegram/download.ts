import type { ServerResponse } from 'node:http';
import type { BodyPart, Exchange, Reply } from '../core/exchange.ts';
import type { FaultRule } from '../core/faults.ts';
import { ApiError } from './api-error.ts';
import type { Bot } from './bot.ts';
import { contentOf } from './file-content.ts';

/** The bytes behind a download path, one character per byte; 404 when the link is unknown or too old. */
export function renderDownload(bot: Bot, path: string, now: number): Reply {
  const file = bot.media.follow(path, now);
  if (file === undefined) throw new ApiError(404, 'Not Found');
  const bytes = contentOf(file);
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) },
    body: [{ kind: 'text', waitMs: 0, text: bytes.toString('latin1') }],
  };
}

/** Prepares an exchange for {@link renderDownload}: its text goes out as the bytes it stands for, cut ones too. */
export function carryBytes(exchange: Exchange): Exchange {
  const { rule, record, perform } = exchange;
  const res = writeBytes(exchange.res);
  if (rule?.action !== 'truncate-body') return { ...exchange, res };
  record.fault = rule.action;
  return { ...exchange, res, rule: null, perform: async (signal) => cutDownload(await perform(signal), rule) };
}

function writeBytes(res: ServerResponse): ServerResponse {
  const write = res.write.bind(res);
  // The exchange deals in text; a character per byte survives it, UTF-8 would not.
  res.write = (chunk: unknown, ...rest: unknown[]): boolean => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    return Reflect.apply(write, res, [bytes, ...rest]);
  };
  return res;
}

// The first half of a download, announced as the whole, and then the cut.
function cutDownload(reply: Reply, rule: FaultRule): Reply {
  if (typeof reply.body === 'string') return reply;
  const text = reply.body.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  const half: BodyPart = { kind: 'text', waitMs: rule.delayMs ?? 0, text: text.slice(0, text.length / 2) };
  return { ...reply, body: [half, { kind: 'cut' }] };
}
