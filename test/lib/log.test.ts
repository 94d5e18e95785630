import { describe, expect, it } from 'vitest';
import { createLogger, type LoggerOptions, type RootLogger, terminalOutput } from '../../lib/log.ts';
import { createRedactor } from '../../lib/redact.ts';

function open(options: Partial<LoggerOptions> = {}): { log: RootLogger; lines: string[] } {
  const lines: string[] = [];
  const file = { write: (line: string) => void lines.push(line), close: () => undefined };
  const log = createLogger({ process: 'worker', level: 'info', redactor: createRedactor(), file, ...options });
  return { log, lines };
}

const parse = (line: string | undefined): Record<string, unknown> => JSON.parse(line ?? '');

describe('the logger', () => {
  it('writes one JSON line per message, with the process and the fields', () => {
    const { log, lines } = open();
    log.info({ session: 's' }, 'hello\nworld');
    log.child({ channel: 'test' }).warn('careful');
    expect(lines.every((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n'))).toBe(true);
    expect(parse(lines[0])).toMatchObject({
      name: 'xopc',
      proc: 'worker',
      level: 30,
      msg: 'hello\nworld',
      session: 's',
    });
    expect(parse(lines[1])).toMatchObject({ level: 40, msg: 'careful', channel: 'test', proc: 'worker' });
  });

  it('writes what JSON has no form for as well as it can, and never throws', () => {
    const { log, lines } = open();
    const self: Record<string, unknown> = { name: 'loop' };
    self['self'] = self;
    log.info({ self }, 'round');
    log.warn({ size: 1n }, 'big');
    expect(parse(lines[0])).toMatchObject({ msg: 'round', self: { name: 'loop', self: '[Circular]' } });
    expect(parse(lines[1])).toMatchObject({ level: 40, msg: 'big', unwritable: expect.stringContaining('BigInt') });
    for (const line of lines) expect(parse(line)['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  });

  it('writes what is said together in one piece, and goes on as before when saying it failed', () => {
    const { log, lines } = open();
    const child = log.child({ channel: 'test' });
    log.together(() => {
      log.info('one');
      child.warn('two');
    });
    expect(() =>
      log.together(() => {
        log.info('three');
        throw new Error('no');
      }),
    ).toThrow('no');
    log.info('four');
    expect(lines.map((line) => line.match(/"msg":"\w+"/g))).toEqual([
      ['"msg":"one"', '"msg":"two"'],
      ['"msg":"three"'],
      ['"msg":"four"'],
    ]);
  });

  it('keeps quiet below its level, which can be changed while it runs', () => {
    const { log, lines } = open();
    log.debug('no');
    log.level('debug');
    log.debug('yes');
    log.level('fatal');
    log.error('no');
    expect(lines.map((line) => parse(line)['msg'])).toEqual(['yes']);
  });

  it('writes errors with their code and all their causes', () => {
    const { log, lines } = open();
    const cause = Object.assign(new Error('inner'), { code: 'ENOENT' });
    log.error({ err: new TypeError('outer', { cause }) }, 'failed');
    log.error({ err: 'just text' }, 'failed');
    expect(parse(lines[0])['err']).toMatchObject({
      name: 'TypeError',
      message: 'outer',
      stack: expect.stringContaining('log.test'),
      cause: { message: 'inner', code: 'ENOENT' },
    });
    expect(parse(lines[1])['err']).toEqual({ message: 'just text' });
  });

  it('takes every secret out of messages, fields, errors and the terminal, by value', () => {
    const redactor = createRedactor();
    const secret = 'canary"secret\\1';
    redactor.add(secret);
    const shown: string[] = [];
    const terminal = { write: (text: string) => void shown.push(text), pretty: true, color: false };
    const { log, lines } = open({ redactor, console: terminal });
    log.info({ header: `Bearer ${secret}`, url: `/x?token=${encodeURIComponent(secret)}` }, `with ${secret}`);
    log.error({ err: new Error(`refused ${secret}`) }, 'failed');
    log.child({ basic: Buffer.from(secret).toString('base64') }).info('child');
    for (const text of [...lines, ...shown]) {
      expect(text).not.toContain('canary');
      expect(text).not.toContain(Buffer.from(secret).toString('base64'));
    }
    for (const line of lines) expect(() => parse(line)).not.toThrow();
    expect(shown).toHaveLength(3);
  });
});

describe('the terminal', () => {
  it('is left alone when XOPC_LOG_CONSOLE is false; without a terminal it gets JSON lines', () => {
    expect(terminalOutput({ XOPC_LOG_CONSOLE: 'false' })).toEqual({});
    const isTerminal = process.stdout.isTTY === true;
    expect(terminalOutput({}).console).toMatchObject({ pretty: isTerminal, color: isTerminal });
    expect(terminalOutput({ NO_COLOR: '1' }).console?.color).toBe(false);
  });

  it('may be closed without ending the program, also when it is left alone: others write to it, too', () => {
    const before = process.stdout.listenerCount('error');
    terminalOutput({ XOPC_LOG_CONSOLE: 'false' });
    expect(process.stdout.listenerCount('error')).toBe(before + 1);
  });
});
