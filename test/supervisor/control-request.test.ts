import { describe, expect, it } from 'vitest';
import { answerRequest, type ControlHandler, ControlRefusal, refuse } from '../../supervisor/control-request.ts';
import { handlerOf } from './control-scene.ts';
import { openMemoryLog } from './memory-log.ts';

/** The parsed answer to a line, which must be one line itself. */
async function ask(line: string, handle: Partial<ControlHandler> = {}): Promise<unknown> {
  const { log } = openMemoryLog();
  const answer = await answerRequest(line, handlerOf(handle), log);
  expect(answer.endsWith('\n')).toBe(true);
  expect(answer.slice(0, -1)).not.toContain('\n');
  return JSON.parse(answer);
}

describe('a request', () => {
  it.each([
    ['status', { phase: 'running' }],
    ['stop', { phase: 'draining' }],
    ['restart', { generation: 2 }],
    ['token', { authMode: 'token' }],
    ['report', {}],
  ])('for %s is answered with what the handler says', async (what, result) => {
    expect(await ask(JSON.stringify({ v: 1, do: what }))).toMatchObject({ ok: true, result });
  });

  it('needs no version, and takes spaces and fields that nobody knows', async () => {
    expect(await ask('  { "do": "stop", "colour": "blue" }  ')).toMatchObject({ ok: true });
  });

  it('to restart carries its reason and whether it is forced', async () => {
    const seen: unknown[] = [];
    const restart: ControlHandler['restart'] = (request) => {
      seen.push(request);
      return { generation: 2 };
    };
    await ask('{"do":"restart","force":true,"reason":"an update"}', { restart });
    await ask('{"do":"restart"}', { restart });
    expect(seen).toEqual([
      { do: 'restart', force: true, reason: 'an update' },
      { do: 'restart', force: false, reason: 'control socket' },
    ]);
  });

  it('may take its time', async () => {
    const report = (): Promise<Record<string, unknown>> => new Promise((resolve) => setImmediate(resolve, { a: 1 }));
    expect(await ask('{"do":"report"}', { report })).toEqual({ ok: true, result: { a: 1 } });
  });
});

describe('a line that is no request', () => {
  it.each([
    ['', 'no JSON object'],
    ['status', 'no JSON object'],
    ['{"do":"status"', 'no JSON object'],
    ['null', 'no JSON object'],
    ['[{"do":"status"}]', 'no JSON object'],
    ['"status"', 'no JSON object'],
    ['{}', 'asks for nothing that this gateway knows'],
    ['{"do":"dance"}', 'asks for nothing that this gateway knows'],
    ['{"do":["status"]}', 'asks for nothing that this gateway knows'],
    ['{"do":"constructor"}', 'asks for nothing that this gateway knows'],
    ['{"v":2,"do":"status"}', 'speaks version 1 of the control protocol, not 2'],
    ['{"v":"1","do":"status"}', 'speaks version 1 of the control protocol, not "1"'],
    ['{"do":"restart","force":"yes"}', '"force" must be true or false'],
    ['{"do":"restart","reason":7}', '"reason" must be a text'],
  ])('(%s) is told what is wrong with it, and nothing is done', async (line, message) => {
    const never = (): never => {
      throw new Error('was called');
    };
    const handle = { status: never, stop: never, restart: never, token: never, report: never };
    expect(await ask(line, handle)).toEqual({
      ok: false,
      error: { code: 'INVALID_REQUEST', message: expect.stringContaining(message) },
    });
  });
});

describe('a handler', () => {
  it('that will not says why, with the way out if there is one', async () => {
    const refusing = (hint?: string): Partial<ControlHandler> => ({
      restart() {
        throw new ControlRefusal('Not now.', hint);
      },
    });
    expect(await ask('{"do":"restart"}', refusing('Later.'))).toEqual({
      ok: false,
      error: { code: 'REFUSED', message: 'Not now.', hint: 'Later.' },
    });
    expect(await ask('{"do":"restart"}', refusing())).toEqual({
      ok: false,
      error: { code: 'REFUSED', message: 'Not now.' },
    });
  });

  it('that fails tells nobody how, but the log', async () => {
    const { log, records } = openMemoryLog();
    const status = (): Promise<never> => Promise.reject(new Error('/secret/path'));
    const answer = await answerRequest('{"do":"status"}', handlerOf({ status }), log);
    expect(JSON.parse(answer)).toEqual({
      ok: false,
      error: { code: 'INTERNAL_ERROR', message: 'The supervisor failed at "status"; its log says why.' },
    });
    expect(records).toMatchObject([{ level: 50, request: 'status', err: { message: '/secret/path' } }]);
  });

  it('whose answer JSON cannot carry has failed', async () => {
    const round: Record<string, unknown> = {};
    round['itself'] = round;
    expect(await ask('{"do":"report"}', { report: () => round })).toMatchObject({
      ok: false,
      error: { code: 'INTERNAL_ERROR' },
    });
  });
});

describe('a refusal', () => {
  it('is one line of JSON, whatever its text holds', () => {
    const line = refuse({ code: 'REFUSED', message: 'first\nsecond' });
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toEqual({ ok: false, error: { code: 'REFUSED', message: 'first\nsecond' } });
  });
});
