import type { ServerResponse } from 'node:http';
import type { EmulatorClock } from './clock.ts';
import type { FaultRule } from './faults.ts';
import { type CallRecord, closeRecord } from './journal.ts';

/** A piece of a streamed body: text after a pause, or the place where the emulator cuts the connection. */
export type BodyPart =
  | { readonly kind: 'text'; readonly waitMs: number; readonly text: string }
  | { readonly kind: 'cut' };

/** An answer, complete or in timed parts. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | readonly BodyPart[];
}

/** One call on its way to an answer. */
export interface Exchange {
  readonly res: ServerResponse;
  readonly clock: EmulatorClock;
  readonly record: CallRecord;
  readonly rule: FaultRule | null;
  /** Carries the call out; the signal aborts when the client goes away. */
  readonly perform: (signal: AbortSignal) => Promise<Reply> | Reply;
  /** The platform's own look of an injected error. */
  readonly renderError: (status: number, rule: FaultRule) => Reply;
}

/** Carries a call out, lets the fault rule spoil it, answers, and keeps its journal record true. */
export async function settleExchange(exchange: Exchange): Promise<void> {
  const { res, record, clock, rule } = exchange;
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
    closeRecord(record, 'aborted', clock.now());
  };
  // A client that left before this line fires no more event; what it asked for is carried out all the same.
  if (res.destroyed) leave();
  else res.once('close', leave);
  if (rule === null) {
    await deliver(exchange, await carryOut(exchange, gone.signal), gone.signal);
    return;
  }
  record.fault = rule.action;
  await spoil(exchange, rule, gone.signal);
}

async function spoil(exchange: Exchange, rule: FaultRule, signal: AbortSignal): Promise<void> {
  const { clock } = exchange;
  const delayMs = rule.delayMs ?? 0;
  switch (rule.action) {
    case 'drop-before':
      await clock.wait(delayMs, signal);
      return drop(exchange);
    case 'drop-after':
      await carryOut(exchange, signal);
      await clock.wait(delayMs, signal);
      return drop(exchange);
    case 'half-open':
      if (rule.process === true) await carryOut(exchange, signal);
      return;
    case 'slow':
      return answerSlowly(exchange, rule, signal);
    case 'status':
      return answerError(exchange, rule, rule.status ?? 500, signal);
    case '429':
      return answerError(exchange, rule, 429, signal);
    case '409':
      return answerError(exchange, rule, 409, signal);
    case 'malformed-json':
      await clock.wait(delayMs, signal);
      return deliver(exchange, breakJson(await carryOut(exchange, signal)), signal);
    case 'truncate-body':
      await clock.wait(delayMs, signal);
      return truncate(exchange, await carryOut(exchange, signal));
  }
}

async function carryOut(exchange: Exchange, signal: AbortSignal): Promise<Reply> {
  const reply = await exchange.perform(signal);
  exchange.record.processed = reply.status < 300;
  return reply;
}

async function answerSlowly(exchange: Exchange, rule: FaultRule, signal: AbortSignal): Promise<void> {
  const delayMs = rule.delayMs ?? 1000;
  if (rule.effect === 'before') {
    const reply = await carryOut(exchange, signal);
    await exchange.clock.wait(delayMs, signal);
    return deliver(exchange, reply, signal);
  }
  await exchange.clock.wait(delayMs, signal);
  return deliver(exchange, await carryOut(exchange, signal), signal);
}

async function answerError(exchange: Exchange, rule: FaultRule, status: number, signal: AbortSignal): Promise<void> {
  if (rule.process === true) await carryOut(exchange, signal);
  await exchange.clock.wait(rule.delayMs ?? 0, signal);
  const reply = exchange.renderError(status, rule);
  const headers = { ...reply.headers, ...rule.headers };
  if (rule.html === true) {
    const page = `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center></body></html>`;
    return deliver(
      exchange,
      { status, headers: { ...headers, 'content-type': 'text/html' }, body: rule.body ?? page },
      signal,
    );
  }
  return deliver(exchange, { status, headers, body: rule.body ?? reply.body }, signal);
}

async function deliver(exchange: Exchange, reply: Reply, signal: AbortSignal): Promise<void> {
  const { res, record, clock } = exchange;
  if (signal.aborted) return;
  if (typeof reply.body === 'string') {
    // The record is closed first: a client that has its answer must find the call finished in the journal.
    closeRecord(record, reply.status, clock.now());
    res.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) });
    res.end(reply.body);
    return;
  }
  res.writeHead(reply.status, reply.headers);
  res.flushHeaders();
  for (const part of reply.body) {
    if (part.kind === 'cut') {
      // Let what was written leave before the cut.
      await new Promise<void>((resolve) => res.write('', () => resolve()));
      return drop(exchange);
    }
    await clock.wait(part.waitMs, signal);
    if (signal.aborted) return;
    res.write(part.text);
  }
  closeRecord(record, reply.status, clock.now());
  res.end();
}

function drop({ res, record, clock }: Exchange): void {
  closeRecord(record, 'dropped', clock.now());
  res.destroy();
}

async function truncate(exchange: Exchange, reply: Reply): Promise<void> {
  const { res } = exchange;
  const bytes = Buffer.from(flatten(reply.body));
  res.writeHead(reply.status, { ...reply.headers, 'content-length': bytes.length });
  await new Promise<void>((resolve) => res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => resolve()));
  drop(exchange);
}

function breakJson(reply: Reply): Reply {
  const whole = flatten(reply.body);
  // The last closing brace goes: every JSON document, and the last event of a stream, becomes invalid.
  const at = whole.lastIndexOf('}');
  return { ...reply, body: at < 0 ? '{' : `${whole.slice(0, at)}${whole.slice(at + 1)}` };
}

function flatten(body: Reply['body']): string {
  if (typeof body === 'string') return body;
  return body.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
