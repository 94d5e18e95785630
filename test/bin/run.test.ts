import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../lib/exit.ts';
import { readDocument, runCommand } from './run-command.ts';

describe('a command that refuses, loaded as a bundle of its own', () => {
  it.each([[[]], [['--lang', 'zh']]])(
    'ends with its exit code, and its reason and hint on standard error (%j)',
    async (language) => {
      const { code, stdout, stderr } = await runCommand([...language, 'gateway', 'logs', '--lines', 'many']);
      expect(code).toBe(EXIT.usage);
      expect(stdout).toBe('');
      // Reason and hint.
      expect(stderr.trimEnd().split('\n')).toHaveLength(2);
      expect(stderr).toContain('"many"');
    },
  );

  it('says the same as JSON', async () => {
    const refused = await runCommand(['gateway', 'logs', '--json', '--lines', 'many']);
    expect(readDocument(refused)).toMatchObject({
      ok: false,
      error: {
        code: EXIT.usage,
        message: expect.stringContaining('many'),
        hint: expect.stringContaining('whole number'),
      },
    });
  });
});

describe('the bundles of the command line', () => {
  it('hold the class of those errors once, so that each knows the errors of the others', () => {
    const folder = join('dist', 'bin');
    const holders = readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .filter((name) => readFileSync(join(folder, name), 'utf8').includes('"ExitError"'));
    expect(holders).toEqual(['lib-errors.js']);
  });
});
