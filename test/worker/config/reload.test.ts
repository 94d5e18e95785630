import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLastGood } from '../../../lib/config/backups.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { createLiveConfig } from '../../../worker/config/live-config.ts';
import { createReloader, type Reloader } from '../../../worker/config/reload.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { createRecordingLog } from '../recording-log.ts';

type Scene = {
  reloader: Reloader;
  write(config: unknown): void;
  applied: string[];
  restarts: string[];
  events: unknown[];
  told: string[];
  lastGood(): string | undefined;
};

function begin(config: unknown = {}): Scene {
  const directory = temporaryDirectory();
  const paths = { configPath: join(directory, 'xopc.json'), backupsDir: join(directory, 'backups') };
  const write = (value: unknown): void =>
    writeFileSync(paths.configPath, typeof value === 'string' ? value : JSON.stringify(value));
  write(config);
  const applied: string[] = [];
  const restarts: string[] = [];
  const events: unknown[] = [];
  const told: string[] = [];
  const reloader = createReloader({
    paths,
    live: createLiveConfig(loadConfig(paths.configPath, {}).config),
    env: {},
    overrides: {},
    log: createRecordingLog().log,
    events: { publish: (_type, data) => void events.push(data) },
    verify({ agents }) {
      if (agents.default === 'impossible') throw new Error('this cannot be');
    },
    applyLive: ({ logging }) => void applied.push(logging.level),
    requestRestart: (reason) => void restarts.push(reason),
    tellOwner: (text) => void told.push(text),
  });
  return { reloader, write, applied, restarts, events, told, lastGood: () => readLastGood(paths) };
}

describe('a change of the file', () => {
  it('is looked at once, whoever noticed it', () => {
    const { reloader, write, applied } = begin();
    write({ logging: { level: 'debug' } });
    expect(reloader.check()).toEqual([{ path: 'logging.level', effect: 'live' }]);
    expect(reloader.check()).toEqual([]);
    expect(applied).toEqual(['debug']);
  });

  it('that means nothing changes nothing', () => {
    const { reloader, write, applied, restarts, events } = begin({ logging: { level: 'info' } });
    write('// a remark\n{ "logging": { "level": "info" }, "gateway": { "port": 18790 } }');
    expect(reloader.check()).toEqual([]);
    expect([applied, restarts, events]).toEqual([[], [], []]);
  });

  it('is applied at once where that goes, and a new worker is asked for once for the rest', () => {
    const { reloader, write, applied, restarts, events } = begin();
    write({ logging: { level: 'debug' }, agents: { maxConcurrentTurns: 2 }, outbox: { replyTtl: 60 } });
    reloader.check();
    expect(applied).toEqual(['debug']);
    expect(restarts).toEqual(['the configuration was changed: agents.maxConcurrentTurns, outbox.replyTtl']);
    expect(events).toMatchObject([{ section: 'logging' }, { section: 'full', requiresRestart: true }]);
    expect(reloader.view().pending).toHaveLength(2);
    write({ logging: { level: 'warn' }, agents: { maxConcurrentTurns: 2 }, outbox: { replyTtl: 60 } });
    reloader.check();
    expect(restarts).toHaveLength(1);
  });

  it('that is taken back is pending no more', () => {
    const { reloader, write } = begin();
    write({ gateway: { port: 1 } });
    expect(reloader.check()).toEqual([{ path: 'gateway.port', effect: 'start' }]);
    expect(reloader.view().pending).toEqual([{ path: 'gateway.port', effect: 'start' }]);
    write({});
    reloader.check();
    expect(reloader.view()).toEqual({ pending: [], problems: [] });
  });

  it('of the address asks for no new worker, which would have the same sockets', () => {
    const { reloader, write, restarts } = begin();
    write({ gateway: { bind: 'lan' } });
    reloader.check();
    expect(restarts).toEqual([]);
  });

  it.each([
    ['{ "gateway": ', 'line'],
    ['{ "gateway": { "port": "x" }, "logging": { "level": "debug" } }', 'gateway.port'],
    ['{ "agents": { "default": "impossible" } }', '(config)'],
  ])('with a fault changes nothing and is told: %s', (text, place) => {
    const { reloader, write, applied, restarts, events, told, lastGood } = begin();
    reloader.check();
    const good = lastGood();
    write(text);
    expect(reloader.check()).toEqual([]);
    expect([applied, restarts]).toEqual([[], []]);
    expect(events).toMatchObject([{ ok: false }]);
    expect(told[0]).toContain('is not used');
    expect(reloader.view().problems[0]?.path).toContain(place);
    expect(lastGood()).toBe(good);
    write({});
    reloader.check();
    expect(reloader.view().problems).toEqual([]);
  });

  it('is kept as the last good one as soon as all of it runs', () => {
    const { reloader, write, lastGood } = begin();
    reloader.check();
    expect(lastGood()).toBe('{}');
    write({ agents: { maxConcurrentTurns: 2 } });
    reloader.check();
    expect(lastGood()).toBe('{}');
    write({ logging: { level: 'debug' } });
    reloader.check();
    expect(lastGood()).toContain('debug');
  });
});
