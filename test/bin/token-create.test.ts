import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { createIdentifier } from '../../worker/identify.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { readDocument, runCommand } from './run-command.ts';

const create = (...args: string[]) =>
  runCommand(['gateway', 'token', 'create', ...args], { XOPC_HOME: temporaryDirectory() });

describe('a further token', () => {
  it.each(['read', 'write', 'admin'])('of scope %s is what the printed entry lets in', async (scope) => {
    const result = await create('ci', '--scope', scope, '--json');
    const { token, entry } = readDocument(result) as { token: string; entry: object };
    const path = join(temporaryDirectory(), 'xopc.json');
    writeFileSync(path, JSON.stringify({ gateway: { auth: { tokens: [entry] } } }));
    const { tokens } = loadConfig(path, {}).config.gateway.auth;
    const identify = createIdentifier({ mode: 'token', secret: 'x'.repeat(20), source: '' }, tokens);
    expect(identify(token)).toEqual({ name: 'ci', scope: `operator.${scope}` });
    expect(readFileSync(path, 'utf8')).not.toContain(token);
  });

  it('may only read when nothing else is said, and is a new one each time', async () => {
    const [first, second] = [await create('ci'), await create('ci')];
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('"operator.read"');
    const tokenOf = (text: string): string | undefined => /^[0-9a-f]{48}$/m.exec(text)?.[0];
    expect(tokenOf(first.stdout)).toBeDefined();
    expect(tokenOf(first.stdout)).not.toBe(tokenOf(second.stdout));
  });

  it.each([[['with space']], [['-x']], [['ci', '--scope', 'root']], [[]]])(
    'asked for as %j is wrong usage',
    async (args) => {
      expect((await create(...args)).code).toBe(2);
    },
  );
});
