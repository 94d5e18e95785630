import { describe, expect, it } from 'vitest';
import { renderWindowsLauncher } from '../../../supervisor/service/launcher.ts';
import { encodeTask, parseTask, quoteForWindows, renderTask } from '../../../supervisor/service/task-xml.ts';
import { definitionOf, ODD_NAMES, oddDefinition } from './samples.ts';
import { type Element, readXml } from './xml-reader.ts';

const BOOLEAN = /^(true|false)$/;
const DURATION = /^PT\d+[SMH]$/;
const TEXT = /^[\s\S]+$/;
/** MAX_PATH, which the schema allows for a program and a folder. */
const PATH = /^[\s\S]{1,260}$/;

/** What the published schema of tasks ([MS-TSCH] 2.5) allows in each element that we write; where `isOrdered`, in this order. */
type Rule = { isOrdered?: boolean; children: Readonly<Record<string, RegExp | Rule>> };

const TRIGGER = { Enabled: BOOLEAN, StartBoundary: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, EndBoundary: TEXT };
const REPETITION: Rule = { children: { Interval: /^PT([1-9]\d*)M$/, Duration: DURATION, StopAtDurationEnd: BOOLEAN } };

const TASK: Rule = {
  children: {
    RegistrationInfo: { children: { Description: TEXT, Author: TEXT } },
    Triggers: {
      children: {
        TimeTrigger: {
          isOrdered: true,
          children: { ...TRIGGER, Repetition: REPETITION, ExecutionTimeLimit: DURATION },
        },
        LogonTrigger: {
          isOrdered: true,
          children: { ...TRIGGER, Repetition: REPETITION, UserId: TEXT, Delay: DURATION },
        },
      },
    },
    Principals: {
      children: {
        Principal: {
          children: {
            UserId: TEXT,
            LogonType: /^(S4U|Password|InteractiveToken)$/,
            RunLevel: /^(LeastPrivilege|HighestAvailable)$/,
          },
        },
      },
    },
    Settings: {
      children: {
        MultipleInstancesPolicy: /^(Parallel|Queue|IgnoreNew|StopExisting)$/,
        DisallowStartIfOnBatteries: BOOLEAN,
        StopIfGoingOnBatteries: BOOLEAN,
        AllowHardTerminate: BOOLEAN,
        StartWhenAvailable: BOOLEAN,
        RunOnlyIfNetworkAvailable: BOOLEAN,
        IdleSettings: { children: { StopOnIdleEnd: BOOLEAN, RestartOnIdle: BOOLEAN } },
        AllowStartOnDemand: BOOLEAN,
        Enabled: BOOLEAN,
        Hidden: BOOLEAN,
        RunOnlyIfIdle: BOOLEAN,
        WakeToRun: BOOLEAN,
        ExecutionTimeLimit: DURATION,
        Priority: /^(\d|10)$/,
      },
    },
    Actions: {
      children: { Exec: { isOrdered: true, children: { Command: PATH, Arguments: TEXT, WorkingDirectory: PATH } } },
    },
  },
};

const windows = definitionOf({
  ...{ user: 'DESK\\测试 user', node: 'C:\\Program Files\\nodejs\\node.exe', entry: 'C:\\x\\xopc.js' },
  ...{ stateDir: 'C:\\Users\\测试 user\\.xopc', serviceDir: 'C:\\Users\\测试 user\\.xopc\\service' },
});

describe('renderTask', () => {
  it.each([windows, ...ODD_NAMES.map(oddDefinition)])('keeps to the schema', (definition) => {
    const task = readTask(definition);
    expect(findFaults(task, TASK)).toEqual([]);
    expect(task.attributes).toEqual({ version: '1.2', xmlns: 'http://schemas.microsoft.com/windows/2004/02/mit/task' });
  });

  it('needs no administrator, has no limit of time, and minds no battery', () => {
    const task = readTask(windows);
    expect(valuesOf(task, 'Settings')).toEqual({
      MultipleInstancesPolicy: 'IgnoreNew',
      DisallowStartIfOnBatteries: 'false',
      StopIfGoingOnBatteries: 'false',
      AllowHardTerminate: 'false',
      StartWhenAvailable: 'true',
      RunOnlyIfNetworkAvailable: 'false',
      StopOnIdleEnd: 'false',
      RestartOnIdle: 'false',
      AllowStartOnDemand: 'true',
      Enabled: 'true',
      Hidden: 'true',
      RunOnlyIfIdle: 'false',
      WakeToRun: 'false',
      ExecutionTimeLimit: 'PT0S',
      Priority: '5',
    });
    expect(valuesOf(task, 'Principal')).toEqual({
      UserId: 'DESK\\测试 user',
      LogonType: 'InteractiveToken',
      RunLevel: 'LeastPrivilege',
    });
  });

  it('starts at the log-on, and each minute without end', () => {
    const task = readTask(windows);
    expect(valuesOf(task, 'LogonTrigger')).toEqual({ Enabled: 'true', UserId: 'DESK\\测试 user' });
    expect(valuesOf(task, 'Repetition')).toEqual({ Interval: 'PT1M', StopAtDurationEnd: 'false' });
  });

  it('runs its action as its only principal', () => {
    const task = readTask(windows);
    expect(find(task, 'Actions')?.attributes['Context']).toBe(find(task, 'Principal')?.attributes['id']);
  });

  it.each([windows, ...ODD_NAMES.map(oddDefinition)])('passes paths on whole, without a window', (definition) => {
    const { Command, Arguments = '', WorkingDirectory } = valuesOf(readTask(definition), 'Exec');
    expect(Command).toBe('%SystemRoot%\\System32\\conhost.exe');
    const [option, node, launcher, ...more] = commandLineToArgv(Arguments);
    expect([option, node, more, WorkingDirectory]).toEqual(['--headless', definition.node, [], definition.stateDir]);
    expect(launcher?.startsWith(definition.serviceDir)).toBe(true);
  });
});

describe('encodeTask', () => {
  it('is UTF-16 with a byte order mark, as the declaration says', () => {
    const bytes = encodeTask(renderTask(windows));
    expect([...bytes.subarray(0, 4)]).toEqual([0xff, 0xfe, 0x3c, 0x00]);
    expect(bytes.toString('utf16le')).toContain('<?xml version="1.0" encoding="UTF-16"?>\r\n');
    expect(bytes.toString('utf16le')).toContain('测试 user');
  });
});

describe('parseTask', () => {
  it.each(['plain', 'with blank', '网关 é', '100 %n'])(
    'reads back what was written for a folder called %j',
    (folder) => {
      const definition = oddDefinition(folder);
      const { node, entry, args, environment } = definition;
      expect(parseTask(encodeTask(renderTask(definition)), renderWindowsLauncher(definition))).toMatchObject({
        ...{ node, entry, args, hasSocket: false },
        environment: { ...environment, XOPC_SERVICE_MARKER: 'schtasks' },
      });
    },
  );

  it('knows no program without its launcher, so that it counts as missing', () => {
    expect(parseTask(encodeTask(renderTask(windows)), undefined)?.entry).toBe('');
  });

  it('finds nothing of ours in another task', () => {
    expect(parseTask(encodeTask('<Task/>'), undefined)).toBeUndefined();
  });
});

describe('quoteForWindows', () => {
  it.each(['plain', '', 'a b', 'C:\\with blank\\', 'a"b', 'a\\"b', 'tail\\\\', '%TEMP% x'])(
    'of %j is read as it was',
    (word) => {
      expect(commandLineToArgv(`${quoteForWindows(word)} next`)).toEqual([word, 'next']);
    },
  );
});

function readTask(definition: ReturnType<typeof definitionOf>): Element {
  return readXml(renderTask(definition));
}

function findFaults({ name, children }: Element, { children: allowed, isOrdered = false }: Rule): string[] {
  const names = children.map((child) => child.name);
  const order = Object.keys(allowed);
  const sorted = names.toSorted((left, right) => order.indexOf(left) - order.indexOf(right));
  return [
    ...(new Set(names).size === names.length ? [] : [`${name} has something twice`]),
    ...(isOrdered && names.join() !== sorted.join() ? [`${name} is out of order: ${names.join()}`] : []),
    ...children.flatMap((child) => {
      const rule = allowed[child.name];
      if (rule === undefined) return [`${name} may not hold ${child.name}`];
      if (!(rule instanceof RegExp)) return findFaults(child, rule);
      return rule.test(child.text) ? [] : [`${child.name} may not be ${child.text}`];
    }),
  ];
}

function find(element: Element, name: string): Element | undefined {
  if (element.name === name) return element;
  return element.children.map((child) => find(child, name)).find((found) => found !== undefined);
}

/** The texts of all that an element holds. */
function valuesOf(task: Element, name: string): Record<string, string> {
  const leaves = (element: Element): [string, string][] =>
    element.children.length === 0 ? [[element.name, element.text]] : element.children.flatMap(leaves);
  return Object.fromEntries((find(task, name)?.children ?? []).flatMap(leaves));
}

/** As documented for CommandLineToArgvW: 2n backslashes before a quote are n, and one more makes the quote a character. */
function commandLineToArgv(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (const [token] of line.matchAll(/\\*"|\\+|[^\\"]/g)) {
    if (token.endsWith('"')) {
      const slashes = token.length - 1;
      word = (word ?? '') + '\\'.repeat(Math.floor(slashes / 2));
      if (slashes % 2 === 1) word += '"';
      else isQuoted = !isQuoted;
    } else if (!isQuoted && /\s/.test(token)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + token;
  }
  return word === undefined ? words : [...words, word];
}
