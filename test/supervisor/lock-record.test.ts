import { describe, expect, it } from 'vitest';
import { describeOwner, formatLockRecord, parseLockRecord } from '../../supervisor/lock-record.ts';
import { lockRecordText } from './lock-samples.ts';

describe('a lock record', () => {
  it('is one line of JSON with the fields of the manual', () => {
    const text = lockRecordText({ pid: 12, startTime: 34 });
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({
      pid: 12,
      createdAt: expect.any(String),
      configPath: '/etc/xopc.json',
      startTime: 34,
    });
  });

  it('reads back as it was written', () => {
    const text = lockRecordText({ port: 1, workerPid: 2, phase: 'draining' });
    const record = parseLockRecord(text);
    expect(record === undefined ? '' : formatLockRecord(record)).toBe(text);
  });

  it('may hold the four fields of the manual only', () => {
    const text = '{"pid":5,"createdAt":"2026-01-01T00:00:00.000Z","configPath":"/c","startTime":9}';
    expect(parseLockRecord(text)).toMatchObject({ pid: 5, startTime: 9, bootId: null, pidNamespace: null, port: null });
  });

  it.each(['', '{', '[]', 'null', '{}', '{"pid":0}', '{"pid":-4}', '{"pid":"7"}', '{"pid":1.5}', '{"pid":12'])(
    'is not %j',
    (text) => {
      expect(parseLockRecord(text)).toBeUndefined();
    },
  );
});

describe('describeOwner', () => {
  const now = Date.parse('2026-01-01T10:00:00Z');

  it.each([
    ['2026-01-01T09:59:30.000Z', '30 s'],
    ['2026-01-01T09:57:10.000Z', '2 min'],
    ['2026-01-01T07:30:00.000Z', '2 h'],
    ['2025-12-20T10:00:00.000Z', '12 days'],
    ['2026-01-01T10:00:09.000Z', '0 s'],
  ])('says for how long a lock of %s is held: %s', (createdAt, age) => {
    const record = parseLockRecord(lockRecordText({ pid: 7, createdAt }));
    expect(record && describeOwner(record, now)).toBe(`PID 7, since ${createdAt} (${age}), phase running, port 18790`);
  });

  it('leaves out what the record does not say', () => {
    const record = parseLockRecord('{"pid":5}');
    expect(record && describeOwner(record, now)).toBe('PID 5');
  });
});
