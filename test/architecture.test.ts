import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The rules of the house, over every source file: who may import whom, who owns what, how long a file may be. */

const root = join(import.meta.dirname, '..');
const PRODUCT = ['bin', 'lib', 'supervisor', 'worker'];
const MAX_LINES = 400;
const LONG_LINES = 250;

type Import = { from: string; to: string; isTypeOnly: boolean };

const files = PRODUCT.flatMap((folder) => list(folder));
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = files.flatMap((file) => readImports(file));

/** Which folders a folder may import. The narrowest rule that fits a file counts. */
const MAY_IMPORT: readonly [folder: string, allowed: readonly string[]][] = [
  ['lib', ['lib']],
  ['supervisor', ['supervisor', 'lib']],
  ['bin', ['bin', 'supervisor', 'lib']],
  ['worker/store', ['worker/store', 'worker/sessions/key.ts', 'lib']],
  ['worker/sessions', ['worker/sessions', 'lib']],
  ['worker/agent', ['worker/agent', 'lib']],
  ['worker/channels', ['worker/channels', 'lib']],
  [
    'worker/messages',
    [
      'worker/messages',
      'worker/agent',
      'worker/channels/plugin.ts',
      'worker/sessions',
      'worker/store',
      'worker/events.ts',
      'lib',
    ],
  ],
  [
    'worker/cron',
    ['worker/cron', 'worker/messages', 'worker/agent', 'worker/sessions', 'worker/store', 'worker/events.ts', 'lib'],
  ],
  ['worker', ['worker', 'lib']],
];

/** Which files may use a package or a builtin that has one owner. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  bunyan: ['lib/log.ts'],
  'jsonc-parser': ['lib/config'],
  valibot: [
    'lib/config',
    'lib/api.ts',
    'lib/api-channels.ts',
    'lib/api-cron.ts',
    'lib/api-fields.ts',
    'lib/answers.ts',
    'lib/answers-channels.ts',
    'lib/answers-cron.ts',
    'lib/completions.ts',
    'worker/routes/route.ts',
  ],
  '@valibot/to-json-schema': ['lib/config/json-schema.ts', 'worker/openapi/document.ts'],
  chokidar: ['worker/config/watch.ts'],
  commander: ['bin/program.ts'],
  'ps-list': ['supervisor/process-list.ts'],
  fkill: ['supervisor/process-kill.ts'],
  croner: ['worker/cron/calculator.ts'],
  koa: ['worker/app.ts', 'worker/middleware'],
  '@koa/router': ['worker/routes/index.ts'],
  'koa-body': ['worker/middleware/body.ts', 'worker/services.ts'],
  '@photostructure/sqlite': ['worker/store'],
  '@ai-sdk/openai-compatible': ['worker/agent/providers'],
  '@ai-sdk/anthropic': ['worker/agent/providers'],
  grammy: ['worker/channels/telegram'],
  uqr: ['bin/commands/login.ts'],
  undici: ['worker/channels/tunnel-fetch.ts'],
  'node:child_process': [
    'supervisor/child.ts',
    'supervisor/port.ts',
    'supervisor/listening-sockets.ts',
    'supervisor/notify.ts',
    'supervisor/process-table.ts',
    'supervisor/service/run-tool.ts',
  ],
};

describe('imports', () => {
  it('stay within the folders that each folder may know', () => {
    expect(
      imports
        .filter(({ to }) => !to.startsWith('package:'))
        .filter((item) => !isAllowed(item))
        .map(describeImport),
    ).toEqual([]);
  });

  it('of packages with an owner are found only with that owner', () => {
    const strangers = imports.filter(({ from, to }) => {
      const owners = OWNERS[packageName(to)];
      return owners !== undefined && !owners.some((owner) => isWithin(from, owner));
    });
    expect(strangers.map(describeImport)).toEqual([]);
  });

  it('name every package that the product uses, so that none comes in unseen', () => {
    const used = new Set(
      imports
        .filter(({ to }) => to.startsWith('package:') && !to.startsWith('package:node:'))
        .map(({ to }) => packageName(to)),
    );
    expect([...used].filter((name) => OWNERS[name] === undefined)).toEqual([]);
  });

  it('form no cycle', () => {
    expect(findCycle()).toBeUndefined();
  });

  it('name concrete channels and providers in the composition root only', () => {
    const concrete = /^worker\/(channels\/(telegram\/|webchat\.ts)|agent\/providers\/(create|offline)\.ts)/;
    const users = imports.filter(
      ({ from, to }) => concrete.test(to) && dirname(from) !== dirname(to) && !isWithin(from, dirname(to)),
    );
    expect([...new Set(users.map(({ from }) => from))]).toEqual(['worker/services.ts']);
  });

  it('let no plugin of a channel see another one', () => {
    const crossing = imports.filter(({ from, to }) => {
      const own = /^worker\/channels\/([^/]+)\//.exec(from)?.[1];
      const other = /^worker\/channels\/([^/]+)\//.exec(to)?.[1];
      return own !== undefined && other !== undefined && own !== other;
    });
    expect(crossing.map(describeImport)).toEqual([]);
  });
});

describe('single owners', () => {
  it('read the environment in one place', () => {
    expect(usersOf(/\bprocess\.env\b/)).toEqual(['lib/env.ts']);
  });

  it('end the process in the entries of the three programs only', () => {
    expect(usersOf(/\bprocess\.exit\(/)).toEqual(['bin/xopc.ts', 'supervisor/responder.ts', 'worker/index.ts']);
  });

  it('write SQL in the store only', () => {
    const sql = /['"`](SELECT |INSERT INTO |UPDATE \w+ SET |DELETE FROM |PRAGMA )/;
    expect(usersOf(sql).filter((file) => !isWithin(file, 'worker/store'))).toEqual([]);
  });

  it('write files through lib only', () => {
    const writes = /\b(writeFileSync|writeFile|appendFileSync|appendFile|createWriteStream|renameSync)\(/;
    expect(
      usersOf(writes).filter((file) => !isWithin(file, 'lib') && !isWithin(file, 'supervisor/lock-claim.ts')),
    ).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${MAX_LINES} lines, and nearly all at most ${LONG_LINES}`, () => {
    const lengths = [...sources].map(([file, text]) => ({ file, lines: text.split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
    expect(lengths.filter(({ lines }) => lines > LONG_LINES).length).toBeLessThanOrEqual(lengths.length * 0.05);
  });

  it('are named after what they hold', () => {
    const names = files.map((file) => file.split('/').at(-1) ?? '');
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name))).toEqual([]);
    expect(
      names.filter((name) => /^(utils?|helpers?|common|misc|types|constants|manager|base)\.ts$/.test(name)),
    ).toEqual([]);
  });

  it('export by name', () => {
    expect(usersOf(/^export default /m)).toEqual([]);
  });
});

function list(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function readImports(file: string): Import[] {
  const text = sources.get(file) ?? '';
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)];
  const dynamic = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)];
  return [
    ...statements.map(([, type, to = '']) => ({
      from: file,
      to: resolveImport(file, to),
      isTypeOnly: type !== undefined,
    })),
    ...dynamic.map(([, to = '']) => ({ from: file, to: resolveImport(file, to), isTypeOnly: false })),
  ];
}

function resolveImport(from: string, to: string): string {
  return to.startsWith('.') ? relative(root, join(root, dirname(from), to)) : `package:${to}`;
}

function packageName(to: string): string {
  const name = to.replace(/^package:/, '');
  if (name.startsWith('node:')) return name;
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

function isAllowed({ from, to }: Import): boolean {
  const [, allowed] = MAY_IMPORT.find(([folder]) => isWithin(from, folder)) ?? ['', []];
  return allowed.some((folder) => isWithin(to, folder));
}

function describeImport({ from, to }: Import): string {
  return `${from} → ${to}`;
}

function usersOf(pattern: RegExp): string[] {
  return [...sources]
    .filter(([, text]) => pattern.test(text))
    .map(([file]) => file)
    .sort();
}

/** A chain of value imports that comes back to its start. */
function findCycle(): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) if (!isTypeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of next.get(file) ?? []) {
      const cycle = walk(target, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
