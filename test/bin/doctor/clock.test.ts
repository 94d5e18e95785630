import { describe, expect, it } from 'vitest';
import { checkClock } from '../../../bin/doctor/clock.ts';
import { createHome, createScene, diagnose, find, write } from './diagnosis.ts';

describe('the clock', () => {
  const codeAt = (now: string): string | undefined => checkClock(createScene({ now: Date.parse(now) }))[0]?.code;

  it('is judged by its year', () => {
    expect(codeAt('1970-01-01T00:00:10Z')).toBe('clock-wrong');
    expect(codeAt('2199-01-01T00:00:10Z')).toBe('clock-wrong');
    expect(codeAt('2027-01-01T00:00:10Z')).toBe('clock-plausible');
  });

  it('may not be before the newest line of the log', async () => {
    const { home, paths } = createHome();
    const line = (time: number): string => `${JSON.stringify({ level: 30, msg: 'x', time: new Date(time) })}\n`;
    write(paths.logFile, `${line(Date.now() - 5_000)}no record\n`);
    expect((await diagnose(home)).codes).toContain('clock-plausible');
    write(`${paths.logFile}.1`, line(Date.now() + 3_600_000));
    write(paths.logFile, 'no record\n');
    expect(find(await diagnose(home), 'clock-behind-log').severity).toBe('warn');
  });
});
