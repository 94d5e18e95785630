import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServiceManager } from '../../../supervisor/service/contract.ts';
import { isDisabled, openLaunchd, parsePrint, renderDaemon } from '../../../supervisor/service/launchd.ts';
import { renderPlist } from '../../../supervisor/service/launchd-plist.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { fakeTool } from './fake-tool.ts';
import { definitionOf } from './samples.ts';

const TARGET = 'gui/501/ai.xopc.gateway';

/** As macOS 14 prints it, cut to what is read and what could be mistaken for it. */
const RUNNING = `gui/501/ai.xopc.gateway = {
\tactive count = 1
\tpath = /Users/ada/Library/LaunchAgents/ai.xopc.gateway.plist
\ttype = LaunchAgent
\tstate = running

\tenvironment = {
\t\tXPC_SERVICE_NAME => ai.xopc.gateway
\t}

\tpid = 4711
\timmediate reason = speculative
\tlast exit code = (never exited)

\tspawn type = interactive (4)
\tendpoints = {
\t\tstate = inactive
\t\tpid = 1
\t}
}
`;

describe.skipIf(process.platform === 'win32')('start', () => {
  it('loads the definition and starts it', async () => {
    const { manager, calls } = launchd('case "$1 $n" in "print 2") exit 113;; esac');
    await manager.start();
    expect(calls()).toEqual([
      `enable ${TARGET}`,
      `print ${TARGET}`,
      expect.stringMatching(/^bootstrap gui\/501 .*\/Library\/LaunchAgents\/ai\.xopc\.gateway\.plist$/),
      `kickstart ${TARGET}`,
    ]);
  });

  it('does not load again what is loaded', async () => {
    const { manager, calls } = launchd('exit 0');
    await manager.start();
    expect(calls()).toEqual([`enable ${TARGET}`, `print ${TARGET}`, `kickstart ${TARGET}`]);
  });

  it.each([
    [5, 'Bootstrap failed: 5: Input/output error'],
    [125, 'Bootstrap failed: 125: Domain does not support specified action'],
  ])('tries again after %i, which passes', async (code, said) => {
    const { manager, calls } = launchd(
      `case "$1" in print) exit 113;; bootstrap) [ "$n" -gt 4 ] || { echo "${said}" >&2; exit ${code}; };; esac`,
    );
    await manager.start();
    expect(calls().filter((call) => call.startsWith('bootstrap')).length).toBe(3);
  });

  it('gives up after its time, with the words of launchd and the command', async () => {
    const { manager } = launchd(
      'case "$1" in print) exit 113;; bootstrap) echo "Bootstrap failed: 5: Input/output error" >&2; exit 5;; esac',
    );
    await expect(manager.start()).rejects.toMatchObject({
      exitCode: 1,
      message: 'launchd refused (5): Bootstrap failed: 5: Input/output error',
      hint: expect.stringMatching(/^Run it by hand: launchctl bootstrap gui\/501 /),
    });
  });

  it('takes 37, already loaded, for done', async () => {
    const { manager, calls } = launchd('case "$1" in print) exit 113;; bootstrap) exit 37;; esac');
    await manager.start();
    expect(calls().at(-1)).toBe(`kickstart ${TARGET}`);
  });

  it('does not try again what will not pass', async () => {
    const { manager, calls } = launchd(
      'case "$1" in print) exit 113;; bootstrap) echo "Bootstrap failed: 119: Service is disabled" >&2; exit 119;; esac',
    );
    await expect(manager.start()).rejects.toThrow('119');
    expect(calls().filter((call) => call.startsWith('bootstrap')).length).toBe(1);
  });

  it('says so when there is no launchctl', async () => {
    const manager = openLaunchd({ name: 'xopc-gateway', env: { PATH: '/nowhere' }, home: '/x', uid: 501 });
    await expect(manager.start()).rejects.toThrow('launchd refused (no code): spawn launchctl ENOENT');
  });
});

describe.skipIf(process.platform === 'win32')('restart', () => {
  it('takes nothing out when the definition is the same (LOOP-5)', async () => {
    const { manager, calls } = launchd('exit 0');
    await manager.restart({ hasNewDefinition: false });
    expect(calls()).toEqual([`enable ${TARGET}`, `print ${TARGET}`, `kickstart -k ${TARGET}`]);
  });

  it('has a new definition read, waiting while launchd still ends the old one', async () => {
    const { manager, calls } = launchd('case "$1 $n" in "bootout 1") exit 36;; "print "*) exit 113;; esac');
    await manager.restart({ hasNewDefinition: true });
    expect(calls().map((call) => call.split(' ')[0])).toEqual([
      'bootout',
      'bootout',
      'enable',
      'print',
      'bootstrap',
      'kickstart',
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('stop', () => {
  it('sends SIGTERM, after which launchd does not start it again', async () => {
    const { manager, calls } = launchd('exit 0');
    await manager.stop({ disable: false });
    expect(calls()).toEqual([`kill SIGTERM ${TARGET}`]);
  });

  it('takes it out for good when it is to be disabled', async () => {
    const { manager, calls } = launchd('exit 0');
    await manager.stop({ disable: true });
    expect(calls()).toEqual([`disable ${TARGET}`, `bootout ${TARGET}`]);
  });

  it.each([3, 113])('is content when it is not loaded (%i)', async (code) => {
    const { manager } = launchd(`exit ${code}`);
    await manager.stop({ disable: false });
    await manager.stop({ disable: true });
  });

  it('passes on any other refusal', async () => {
    const { manager } = launchd(
      'echo "Boot-out failed: 150: Operation not permitted while SIP is engaged" >&2; exit 150',
    );
    await expect(manager.stop({ disable: true })).rejects.toThrow('150');
  });
});

describe.skipIf(process.platform === 'win32')('what there is', () => {
  it('is no session for a user who is logged in over ssh only', async () => {
    const { manager } = launchd(
      'echo "Bad request." >&2; echo "Could not find domain for user gui: 501" >&2; exit 113',
    );
    expect(await manager.findObstacle()).toEqual({ code: 'no-desktop', detail: 'Bad request.' });
    expect(await launchd('exit 0').manager.findObstacle()).toBeNull();
  });

  it('is enabled while its file is there and it is not disabled', async () => {
    const { manager, install } = launchd('echo \'	"ai.xopc.gateway.other" => disabled\'');
    expect(await manager.isEnabled()).toBe(false);
    install();
    expect(await manager.isEnabled()).toBe(true);
    expect(manager.read()?.parsed?.node).toBe('/usr/bin/node');
    const disabled = launchd('echo \'	"ai.xopc.gateway" => disabled\'');
    disabled.install();
    expect(await disabled.manager.isEnabled()).toBe(false);
  });

  it('is gone after a removal', async () => {
    const { manager, install } = launchd('exit 0');
    install();
    await manager.remove();
    expect(manager.read()).toBeUndefined();
  });
});

describe('isDisabled', () => {
  it.each([
    ['\t"ai.xopc.gateway" => disabled', true],
    ['\t"ai.xopc.gateway" => true', true],
    ['\t"ai.xopc.gateway" => enabled', false],
    ['\t"ai.xopc.gateway" => false', false],
    ['\t"ai.xopc.gateway.x" => disabled', false],
    ['', false],
  ])('of %j is %s', (line, expected) => {
    expect(isDisabled(`disabled services = {\n${line}\n}`, 'ai.xopc.gateway')).toBe(expected);
  });
});

describe('parsePrint', () => {
  it('reads a service that runs, and not what stands in its blocks', () => {
    expect(parsePrint({ code: 0, output: RUNNING, failure: null })).toEqual({
      ...{ state: 'running', pid: 4711, lastExitCode: null, detail: 'running' },
    });
  });

  it.each([
    ['\tstate = not running\n\tlast exit code = 0\n', 'stopped', 0],
    ['\tstate = spawn scheduled\n\tlast exit code = 70\n', 'starting', 70],
    ['\tstate = exited\n\tlast exit code = 78: EX_CONFIG\n', 'stopped', 78],
    ['something new\n', 'stopped', null],
  ])('of %j is %s', (output, state, lastExitCode) => {
    expect(parsePrint({ code: 0, output, failure: null })).toMatchObject({ state, lastExitCode, pid: null });
  });

  it('tells one that is not loaded from one that cannot be asked for', () => {
    const failure = 'Could not find service "ai.xopc.gateway" in domain for user gui: 501';
    expect(parsePrint({ code: 113, output: '', failure })).toMatchObject({ state: 'stopped' });
    expect(parsePrint({ code: null, output: '', failure: 'no end within 10 s' })).toMatchObject({
      ...{ state: 'unknown', detail: 'no end within 10 s' },
    });
  });
});

describe('renderDaemon', () => {
  it('lies where only the administrator can put it', () => {
    const [, daemon] = renderDaemon(definitionOf({ scope: 'system' }));
    expect(daemon?.path).toBe('/Library/LaunchDaemons/ai.xopc.gateway.plist');
    expect(daemon?.content).toContain('<key>UserName</key>');
  });
});

function launchd(script: string): { manager: ServiceManager; calls(): string[]; install(): void } {
  const home = temporaryDirectory();
  const { env, calls } = fakeTool('launchctl', script);
  const manager = openLaunchd({ name: 'xopc-gateway', env, home, uid: 501, retry: { forMs: 400, everyMs: 20 } });
  return {
    manager,
    calls,
    install() {
      mkdirSync(dirname(manager.mainFile), { recursive: true });
      writeFileSync(manager.mainFile, renderPlist(definitionOf({ serviceDir: join(home, 'service') })));
    },
  };
}
