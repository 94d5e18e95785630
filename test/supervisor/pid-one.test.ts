import { expect, it } from 'vitest';
import { warnAsPidOne } from '../../supervisor/pid-one.ts';
import { openMemoryLog } from './memory-log.ts';

it('says nothing as any other process than PID 1', () => {
  const { log, records } = openMemoryLog();
  warnAsPidOne(log);
  expect(records).toEqual([]);
});
