import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServiceManager } from '../../../supervisor/service/contract.ts';
import { disableOwnTask, isTaskEnabled, openSchtasks, parseQuery } from '../../../supervisor/service/schtasks.ts';
import { encodeTask, renderTask } from '../../../supervisor/service/task-xml.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { fakeTool } from './fake-tool.ts';
import { definitionOf } from './samples.ts';

describe.skipIf(process.platform === 'win32')('the task scheduler', () => {
  it('is given the definition as a file, also over an older one', async () => {
    const { manager, calls } = schtasks('exit 0');
    await manager.enable(definitionOf());
    expect(calls()).toEqual([`/Create /TN xopc-gateway /XML ${manager.mainFile} /F`]);
  });

  it('starts what a stop had switched off', async () => {
    const { manager, calls } = schtasks('exit 0');
    await manager.stop({ disable: false });
    await manager.start();
    expect(calls()).toEqual([
      '/Change /TN xopc-gateway /DISABLE',
      '/Change /TN xopc-gateway /ENABLE',
      '/Run /TN xopc-gateway',
    ]);
  });

  it('never kills: a restart begins when the old gateway has ended by itself (WIN-3)', async () => {
    const { manager, calls } = schtasks('exit 0');
    await manager.restart({ hasNewDefinition: true });
    expect(calls()).toEqual(['/Change /TN xopc-gateway /ENABLE', '/Run /TN xopc-gateway']);
  });

  it.each([
    ['ERROR: Access is denied.', 'English'],
    ['FEHLER: Zugriff verweigert', 'German'],
    ['错误: 拒绝访问。', 'Chinese'],
  ])('refuses with its own words: %s', async (said) => {
    const { manager } = schtasks(`echo "${said}" >&2; exit 1`);
    await expect(manager.enable(definitionOf())).rejects.toMatchObject({
      exitCode: 1,
      message: `The task scheduler refused (1): ${said}`,
      hint: expect.stringMatching(/^Run it by hand: schtasks \/Create \/TN xopc-gateway /),
    });
  });

  it('is not waited for without end', async () => {
    const { manager } = schtasks('exec sleep 60', 200);
    await expect(manager.start()).rejects.toThrow('The task scheduler refused (no code): no end within 0.2 s');
  });

  it('is missed where there is none', async () => {
    const none = openSchtasks({ name: 'x', env: { PATH: '/nowhere' }, serviceDir: temporaryDirectory() });
    expect(await none.findObstacle()).toEqual({ code: 'no-scheduler', detail: 'spawn schtasks ENOENT' });
    expect(await schtasks('exit 0').manager.findObstacle()).toBeNull();
  });

  it('keeps the definition beside our files, where it can be read without asking', () => {
    const { manager } = schtasks('exit 1');
    expect(manager.read()).toBeUndefined();
    const [launcher, task] = manager.render(definitionOf({ serviceDir: dirname(manager.mainFile) }));
    mkdirSync(dirname(manager.mainFile), { recursive: true });
    for (const file of [launcher, task]) if (file !== undefined) writeFileSync(file.path, file.content);
    expect(manager.read()?.parsed).toMatchObject({ entry: definitionOf().entry, args: definitionOf().args });
  });
});

describe.skipIf(process.platform === 'win32')('disableOwnTask', () => {
  it('switches off the task that started us, else nothing', async () => {
    const { env, calls } = fakeTool('schtasks', 'exit 1');
    await disableOwnTask(env);
    expect(calls()).toEqual([]);
    await disableOwnTask({ ...env, XOPC_SERVICE_NAME: 'xopc-gateway-0a1b2c3d' });
    expect(calls()).toEqual(['/Change /TN xopc-gateway-0a1b2c3d /DISABLE']);
  });
});

describe('parseQuery', () => {
  const row = (status: string, last: string, result: string): string =>
    `"DESK","\\xopc-gateway","11/25/2026 10:00:00 AM","${status}","Interactive only","${last}","${result}","DESK\\ada","conhost.exe"\r\n`;

  it.each([
    ['Running', '267009', 'running', null],
    ['Wird ausgeführt', '267009', 'running', null],
    ['正在运行', '267009', 'running', null],
    ['Bereit', '0', 'stopped', 0],
    ['就绪', '267011', 'stopped', null],
    ['Disabled', '78', 'stopped', 78],
  ])('with "%s" and %s is %s, in any language', (status, result, state, lastExitCode) => {
    const output = `\r\n${row(status, 'N/A', result)}${row(status, 'N/A', result)}`;
    expect(parseQuery({ code: 0, output, failure: null })).toMatchObject({ state, lastExitCode, pid: null });
  });

  it('does not guess from what it does not know', () => {
    expect(parseQuery({ code: 0, output: 'INFO: nothing\r\n', failure: null }).state).toBe('unknown');
    expect(parseQuery({ code: 1, output: '', failure: 'ERROR: The system cannot find the file specified.' })).toEqual({
      ...{ state: 'unknown', pid: null, lastExitCode: null },
      detail: 'ERROR: The system cannot find the file specified.',
    });
  });
});

describe('isTaskEnabled', () => {
  const xml = (enabled: boolean): string =>
    renderTask(definitionOf()).replace(
      '<Enabled>true</Enabled>\r\n    <Hidden>',
      `<Enabled>${enabled}</Enabled>\r\n    <Hidden>`,
    );

  it('reads the word of the settings, not of a trigger', () => {
    expect(isTaskEnabled({ code: 0, output: xml(true), failure: null })).toBe(true);
    expect(isTaskEnabled({ code: 0, output: xml(false), failure: null })).toBe(false);
    const trigger = xml(true).replace('<Enabled>true</Enabled>', '<Enabled>false</Enabled>');
    expect(isTaskEnabled({ code: 0, output: trigger, failure: null })).toBe(true);
  });

  it('takes UTF-16 as well, which some systems print', () => {
    expect(isTaskEnabled({ code: 0, output: encodeTask(xml(false)).toString('latin1'), failure: null })).toBe(false);
  });

  it('is false for a task that is not there', () => {
    expect(isTaskEnabled({ code: 1, output: '', failure: 'ERROR' })).toBe(false);
  });
});

function schtasks(script: string, timeoutMs = 5_000): { manager: ServiceManager; calls(): string[] } {
  const { env, calls } = fakeTool('schtasks', script);
  const serviceDir = join(temporaryDirectory(), 'service');
  return { manager: openSchtasks({ name: 'xopc-gateway', env, serviceDir, timeoutMs }), calls };
}
