import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureGeneratedToken, readGeneratedToken } from '../../lib/credential.ts';
import { runInThreads } from './parallel-threads.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('the generated token', () => {
  it('is not there before it is made, then the same for ever', () => {
    const file = join(temporaryDirectory(), 'credentials', 'gateway-token');
    expect(readGeneratedToken(file)).toBeUndefined();
    const token = ensureGeneratedToken(file);
    expect(readFileSync(file, 'utf8')).toBe(`${token}\n`);
    expect(ensureGeneratedToken(file)).toBe(token);
    expect(readGeneratedToken(file)).toBe(token);
    expect(readdirSync(dirname(file))).toEqual(['gateway-token']);
  });

  it('is the one that the owner wrote there', () => {
    const file = join(temporaryDirectory(), 'gateway-token');
    writeFileSync(file, '  by-hand-1234567890  \n');
    expect(ensureGeneratedToken(file)).toBe('by-hand-1234567890');
  });

  it('replaces an empty file, which a crash or a full disk may have left', () => {
    const file = join(temporaryDirectory(), 'gateway-token');
    writeFileSync(file, '');
    expect(ensureGeneratedToken(file)).toMatch(/^[0-9a-f]{48}$/);
  });

  it('is one for fifty that make it at the same moment', async () => {
    const file = join(temporaryDirectory(), 'credentials', 'gateway-token');
    mkdirSync(dirname(file));
    const code = 'return lib.ensureGeneratedToken(data);';
    const tokens = await runInThreads({ module: 'credential.ts', count: 50, code, data: file });
    expect(new Set(tokens)).toEqual(new Set([readGeneratedToken(file)]));
    expect(readdirSync(dirname(file))).toEqual(['gateway-token']);
  });
});
