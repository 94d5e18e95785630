import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditService } from '../../../supervisor/service/audit.ts';
import type { ServiceDefinition } from '../../../supervisor/service/definition.ts';
import { writeServiceFiles } from '../../../supervisor/service/files.ts';
import { openSystemd } from '../../../supervisor/service/systemd.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { definitionOf } from './samples.ts';

const TOKEN = 'canary-0123456789abcdef';

describe('auditService', () => {
  it('has nothing to say of a service that is as it was installed, nor of none', async () => {
    expect(await scene().audit()).toEqual([]);
    const other = scene();
    other.installs([]);
    expect(await other.audit()).toEqual([]);
  });

  it('finds a token in the unit that is not the one that counts, and shows neither', async () => {
    const findings = await scene().audit({ environment: { XOPC_GATEWAY_TOKEN: `${TOKEN}-old` } });
    expect(findings.map(({ code }) => code)).toEqual(['token-exposed', 'token-drift', 'unit-changed']);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });

  it('finds a token in the arguments, as older versions wrote it', async () => {
    const findings = await scene().audit({ args: ['gateway', '--token', TOKEN] });
    expect(findings.map(({ code }) => code)).toEqual(['token-exposed', 'unit-changed']);
  });

  it('finds another token in the file of variables', async () => {
    const findings = await scene().audit({}, { XOPC_GATEWAY_TOKEN: 'another-0123456789abcdef' });
    expect(findings.map(({ code }) => code)).toEqual(['token-drift']);
  });

  it('finds what is gone: the program first, the Node.js as a warning', async () => {
    expect(await scene().audit({ entry: '/gone/xopc.js' })).toMatchObject([
      { code: 'missing-program', severity: 'error', values: { path: '/gone/xopc.js' } },
    ]);
    expect(await scene().audit({ node: '/gone/node' })).toMatchObject([{ code: 'missing-node', severity: 'warn' }]);
  });

  it('of another version says that alone, since the text has to differ', async () => {
    const environment = { ...definitionOf().environment, XOPC_SERVICE_VERSION: '1.0.0' };
    expect(await scene().audit({ environment, stopTimeoutMs: 1_000 })).toMatchObject([
      { code: 'version-mismatch', values: { installed: '1.0.0', current: '1.2.3' } },
    ]);
  });

  it('notes a port of its own', async () => {
    const args = [...definitionOf().args, '--port', '8080'];
    const findings = await scene().audit({ args });
    expect(findings).toMatchObject([
      { code: 'port-mismatch', severity: 'info', values: { service: 8080, config: 18_790 } },
    ]);
  });

  it('finds a changed unit', async () => {
    expect(await scene().audit({ stopTimeoutMs: 1_000 })).toMatchObject([{ code: 'unit-changed' }]);
  });

  it('does not take apart what somebody else wrote', async () => {
    const other = scene();
    other.installs([{ path: other.manager.mainFile, content: '[Service]\nExecStart=/usr/bin/other\n' }]);
    expect(await other.audit()).toMatchObject([{ code: 'unit-foreign', severity: 'error' }]);
  });

  it('finds a service that will not be there after a log-out or a boot', async () => {
    const found = await scene({ isLasting: false }).audit();
    expect(found.map(({ code }) => code)).toEqual(['not-enabled', 'linger-off']);
  });
});

type File = { path: string; content: string };

/** A service of systemd in a home of its own, installed with changes; the audit expects one without. */
function scene({ isLasting = true } = {}) {
  const home = temporaryDirectory();
  const lingerDir = join(home, 'linger');
  const manager = openSystemd({ name: 'xopc-gateway', env: { PATH: '/nowhere' }, home, user: 'ada', lingerDir });
  const plain = definitionOf({
    entry: process.argv[1] ?? '',
    node: process.execPath,
    serviceDir: join(home, 'service'),
  });
  const wants = join(dirname(manager.mainFile), 'default.target.wants', 'xopc-gateway.service');
  let installed: readonly File[] | undefined;
  return {
    manager,
    /** Instead of what it would install. */
    installs(files: readonly File[]) {
      installed = files;
    },
    audit(changes: Partial<ServiceDefinition> = {}, envFile: Record<string, string> = {}) {
      const definition = { ...plain, ...changes, environment: { ...plain.environment, ...changes.environment } };
      writeServiceFiles(installed ?? manager.render(definition));
      if (isLasting) {
        for (const path of [wants, join(lingerDir, 'ada')]) {
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, '');
        }
      }
      return auditService({
        ...{ manager, version: '1.2.3', port: 18_790, token: TOKEN, envFile },
        expect: ({ node, entry, args }) => ({
          ...plain,
          node,
          entry,
          args: args.includes('--port') ? args : plain.args,
        }),
      });
    },
  };
}
