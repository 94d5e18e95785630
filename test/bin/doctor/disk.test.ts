import { describe, expect, it } from 'vitest';
import { judgeSpace } from '../../../bin/doctor/disk.ts';
import { createScene } from './diagnosis.ts';

describe('the disk', () => {
  it.each([
    [5_000, 'ok'],
    [500, 'ok'],
    [499, 'warn'],
    [50, 'warn'],
    [49, 'error'],
    [0, 'error'],
  ])('with %d MB free is %s', (free, severity) => {
    expect(judgeSpace({ free, path: '/x' }, createScene())).toMatchObject({ severity });
  });
});
