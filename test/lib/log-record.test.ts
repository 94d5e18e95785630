import { describe, expect, it } from 'vitest';
import { formatRecord, levelNumber, parseRecord } from '../../lib/log-record.ts';

const record = {
  time: '2026-01-02T03:04:05.678Z',
  level: 30,
  proc: 'supervisor',
  msg: 'started',
  pid: 1,
  hostname: 'h',
  name: 'xopc',
  v: 0,
};

describe('a record for people', () => {
  it('has time, level, process, message and the remaining fields', () => {
    const line = JSON.stringify({ ...record, port: 1, text: 'two words', plain: 'one', list: [1] });
    expect(formatRecord(line, { color: false })).toBe(
      '03:04:05.678 INFO  supervisor: started port=1 text="two words" plain=one list=[1]',
    );
  });

  it('has the stack of an error below', () => {
    expect(
      formatRecord(JSON.stringify({ ...record, level: 50, err: { stack: 'Error: x\n  at y' } }), { color: false }),
    ).toMatch(/ERROR supervisor: started\nError: x\n {2}at y$/);
  });

  it('has colours only where they can be seen', () => {
    expect(formatRecord(JSON.stringify(record), { color: true })).toContain('\u001b[32m');
    expect(formatRecord(JSON.stringify(record), { color: false })).not.toContain('\u001b');
  });

  it('of something else is shown as it is', () => {
    expect(formatRecord('plain text\n', { color: false })).toBe('plain text');
    expect(formatRecord('{"level":35}', { color: false })).toContain('35');
  });

  it('of JSON that is no record is shown as it is', () => {
    for (const line of ['null', '12', '"text"', '[1]', '{"a":1}', '{"level":"high"}', '{broken']) {
      expect(formatRecord(line, { color: true })).toBe(line);
    }
  });

  it('has the date and the zone where it is read later', () => {
    expect(formatRecord(JSON.stringify(record), { color: false, isDated: true })).toBe(
      '2026-01-02T03:04:05.678Z INFO  supervisor: started',
    );
  });

  it('cannot steer the terminal of its reader', () => {
    const line = JSON.stringify({ ...record, msg: 'a\u001b[2Jb\nc', from: '\u009b31m', err: { stack: 'x\u0007' } });
    expect(formatRecord(line, { color: false })).toBe(
      '03:04:05.678 INFO  supervisor: a\\x1b[2Jb\nc from=\\x9b31m\nx\\x07',
    );
  });
});

describe('the level of a record', () => {
  it('is the number that bunyan writes', () => {
    expect(levelNumber('trace')).toBe(10);
    expect(levelNumber('warn')).toBe(40);
    expect(levelNumber('fatal')).toBe(60);
    expect(parseRecord(JSON.stringify(record))?.level).toBe(30);
  });

  it('is unknown in a line that is none', () => {
    for (const line of ['', 'Error: x', 'null', '{"level":"30"}', '[{"level":30}]', '{']) {
      expect(parseRecord(line)).toBeUndefined();
    }
  });
});
