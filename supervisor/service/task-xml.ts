import type { InstalledService } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { windowsLauncherPath } from './launcher.ts';
import { escapeXml, unescapeXml } from './xml-text.ts';

/**
 * The task of the service, in the order of elements that its schema asks for ([MS-TSCH] 2.5). It needs no administrator, has no
 * limit of time, starts on battery, and the minute trigger starts it again whenever it does not run (WIN-2).
 */
export function renderTask(definition: ServiceDefinition): string {
  const { user, version, node, stateDir, serviceDir } = definition;
  const account = escapeXml(user);
  // A program of the console subsystem would have a window; this host has none (WIN-1).
  const command = '%SystemRoot%\\System32\\conhost.exe';
  const words = ['--headless', node, windowsLauncherPath(serviceDir)].map(quoteForWindows).join(' ');
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escapeXml(`xopc gateway ${version}`)}</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Repetition>
        <Interval>PT1M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
    </TimeTrigger>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${account}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${account}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>true</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${command}</Command>
      <Arguments>${escapeXml(words)}</Arguments>
      <WorkingDirectory>${escapeXml(stateDir)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`.replaceAll('\n', '\r\n');
}

/** As the declaration of the file says, with a byte order mark: schtasks takes nothing else. */
export function encodeTask(xml: string): Buffer {
  return Buffer.from(`\ufeff${xml}`, 'utf16le');
}

/** What a task of ours starts; the launcher says with which program, arguments and variables. Undefined when it is not ours. */
export function parseTask(bytes: Buffer, launcherText: string | undefined): InstalledService | undefined {
  const xml = bytes.toString('utf16le');
  const [, node, launcher] = splitWindowsWords(unescapeXml(/<Arguments>([^<]*)</.exec(xml)?.[1] ?? ''));
  if (node === undefined || launcher === undefined) return undefined;
  const text = launcherText ?? '';
  const entry = parseJson(/^const program = (.*);$/m.exec(text)?.[1]);
  const args = parseJson(/^process\.argv = .*\.\.\.(\[.*\])\];$/m.exec(text)?.[1]);
  const environment = parseJson(/^Object\.assign\(env, (\{[\s\S]*?\n\})\);$/m.exec(text)?.[1]);
  return {
    ...{ launcher, node, hasSocket: false },
    entry: typeof entry === 'string' ? entry : '',
    args: Array.isArray(args) ? args.map(String) : [],
    environment: toText(environment),
  };
}

function toText(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

function parseJson(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As CommandLineToArgvW takes it apart: a backslash counts only before a quote. */
export function quoteForWindows(text: string): string {
  if (/^[^\s"]+$/.test(text)) return text;
  return `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

function splitWindowsWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
