import type { AuditFinding } from '../../lib/audit/audit.ts';
import { describeAudit, isAuditCheckId } from '../../lib/audit/texts.ts';
import type { WorkerExit } from '../../lib/control.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { Fatal } from '../../supervisor/fatal.ts';
import { identityOf, workerPidOf } from '../instance.ts';
import { formatLocalTime } from '../local-time.ts';
import type { Messages } from '../messages/en.ts';
import type { Output } from '../output.ts';
import { describeProbe, toOneLine } from '../probe-text.ts';
import { printServiceTroubles } from '../service/trouble-text.ts';
import {
  channelsOf,
  type GatewayState,
  healthOf,
  heartbeatOf,
  outboxOf,
  type Report,
  shownToken,
  uptimeMsOf,
} from './report.ts';
import type { InstalledView } from './service.ts';

/** A main loop that said nothing for so long is worth a line. */
const SILENT_MS = 3_000;
/** What fits on two lines of a terminal. */
const MAX_ERROR_LENGTH = 160;

/** Prints the report for a person, laid out as in the manual. */
export function printReport(report: Report, output: Output): void {
  if (!report.isRunning) {
    printStopped(report, output);
    return;
  }
  printHeadline(report, output);
  output.line(output.text('port', { port: report.endpoint.port }));
  printProblems(report, output);
  printFacts(report, output);
  printAccess(report, output);
  printFindings(healthOf(report)?.findings ?? [], output);
  printInstalled(report.installed, output);
  printChannels(report, output);
  printExits(report.lastExits, output);
  output.headline('📝', output.text('management'));
  output.line(`   ${output.text('stopHint')}`);
  output.line(`   ${output.text('restartHint')}`);
}

function printStopped({ state, fatal, lastExits, installed }: Report, output: Output): void {
  if (state !== 'given-up') output.headline('⚪', output.text('notRunning'));
  else {
    output.headline('⛔', output.text('givenUp'));
    if (fatal !== undefined) printFatal(fatal, output);
    if (installed?.givenUp !== undefined)
      output.line(`   ${output.text('serviceGaveUp', { detail: installed.givenUp })}`);
    printExits(lastExits, output);
  }
  printInstalled(installed, output);
  output.line(output.text(installed === undefined ? 'startHint' : 'serviceStartHint'));
}

function printInstalled(installed: InstalledView | undefined, output: Output): void {
  if (installed === undefined) return;
  output.line(output.text('installedService', { name: installed.name, kind: installed.kind }));
  printServiceTroubles(installed.findings, output);
}

function printFatal({ at, exitCode, message, hint }: Fatal, output: Output): void {
  output.line(`   ${toOneLine(message)}`);
  if (hint !== undefined) output.line(`   ${toOneLine(hint)}`);
  output.line(`   ${output.text('gaveUpAt', { at: formatLocalTime(at), code: exitCode })}`);
}

function printHeadline({ state, probe }: Report, output: Output): void {
  const { sign, key } = headlineOf(state);
  const isServing = state === 'running' || state === 'restarting' || state === 'unknown';
  if (isServing && probe.t !== 'answered' && probe.t !== 'skipped')
    output.headline('⚠️ ', output.text('notServing', { phase: state }));
  else output.headline(sign, output.text(key));
}

function headlineOf(state: GatewayState): { sign: string; key: keyof Messages } {
  switch (state) {
    case 'running':
    case 'restarting':
    case 'unknown':
      return { sign: '✅', key: 'running' };
    case 'starting':
      return { sign: '⏳', key: 'starting' };
    case 'backoff':
      return { sign: '⚠️ ', key: 'backoff' };
    case 'safe-mode':
      return { sign: '⚠️ ', key: 'safeMode' };
    case 'draining':
    case 'stopped':
      return { sign: '⏳', key: 'draining' };
    case 'given-up':
      return { sign: '⛔', key: 'givenUp' };
    default:
      return state satisfies never;
  }
}

function printProblems(report: Report, output: Output): void {
  const { instance, endpoint, probe } = report;
  const warn = (text: string): void => output.headline('⚠️ ', text);
  const expected = identityOf(instance).instanceId;
  const problem = describeProbe(probe, { port: endpoint.port, expected }, output);
  if (problem !== undefined) warn(problem);
  const heartbeat = heartbeatOf(report);
  const silentMs = heartbeat === null ? 0 : Date.now() - Date.parse(heartbeat.at);
  if (silentMs > SILENT_MS) warn(output.text('workerSilent', { age: formatDuration(silentMs) }));
  const restartFailure = instance.status?.restartFailure ?? null;
  if (restartFailure !== null) warn(output.text('restartFailed', { reason: toOneLine(restartFailure) }));
  const { problems = [], pending = [] } = healthOf(report)?.config ?? {};
  const [fault] = problems;
  if (fault !== undefined) warn(output.text('configUnused', { problem: toOneLine(`${fault.path}: ${fault.message}`) }));
  const held = pending.filter(({ effect }) => effect === 'start').map(({ path }) => path);
  if (held.length > 0) warn(output.text('configHeld', { paths: held.join(', ') }));
}

function printFacts(report: Report, output: Output): void {
  const { state, instance, installed } = report;
  const { status } = instance;
  if (status === undefined) output.line(output.text('state', { state }));
  else {
    const { reason, since } = status;
    output.line(output.text('stateSince', { state, since: formatLocalTime(since), reason: toOneLine(reason) }));
  }
  const supervisor = identityOf(instance).pid ?? '?';
  output.line(output.text('pids', { supervisor, worker: workerPidOf(instance) ?? '?' }));
  const version = status?.version ?? healthOf(report)?.version;
  if (version !== undefined) output.line(output.text('version', { version }));
  const uptimeMs = uptimeMsOf(report);
  if (uptimeMs !== undefined) output.line(output.text('uptime', { uptime: formatDuration(uptimeMs) }));
  if (status === undefined) return;
  if (status.service !== null && installed === undefined)
    output.line(output.text('service', { service: status.service }));
  const { recent, limit } = status.crashes;
  if (recent > 0) output.line(output.text(limit > 0 ? 'crashesOfLimit' : 'crashes', { recent, limit }));
}

function printAccess({ endpoint }: Report, output: Output): void {
  output.headline('🌐', output.text('access'));
  output.line(`   ${output.text('url', { url: endpoint.url })}`);
  const token = shownToken(endpoint);
  if (token !== undefined) output.line(`   ${output.text('token', { token })}`);
}

/** What is only good to know is in `--json` and in the log. */
function printFindings(findings: readonly AuditFinding[], output: Output): void {
  const grave = findings.filter(({ severity }) => severity !== 'info');
  if (grave.length > 0) output.headline('🛡️ ', output.text('security'));
  for (const finding of grave) {
    const { checkId, values } = finding;
    // A gateway of another version may know other checks.
    const { title, detail, remediation } = isAuditCheckId(checkId)
      ? describeAudit(checkId, values, output.language)
      : finding;
    output.line(`   ${output.text('finding', { title, detail: toOneLine(detail) })}`);
    output.line(`   → ${remediation}`);
  }
}

function printChannels(report: Report, output: Output): void {
  const accounts = channelsOf(report).flatMap(({ id, accounts }) => accounts.map((account) => ({ id, ...account })));
  if (accounts.length > 0) output.line(output.text('channels'));
  for (const { id, accountId: account, state, since, lastError } of accounts) {
    const error = lastError === undefined ? '' : ` (${toOneLine(lastError)})`;
    output.line(`   ${output.text('channel', { id, account, state, since: formatLocalTime(since), error })}`);
  }
  const queues = healthOf(report)?.queues;
  const outbox = outboxOf(report);
  if (queues !== undefined) output.line(output.text('queues', queues));
  else if (outbox !== undefined) output.line(output.text('outbox', { outbox }));
}

function printExits(exits: readonly WorkerExit[], output: Output): void {
  if (exits.length > 0) output.line(output.text('lastExits'));
  for (const { at, reason, uptimeMs, isCrash, firstErrorLine, crashLog } of exits) {
    const after = { at: formatLocalTime(at), reason: toOneLine(reason), uptime: formatDuration(uptimeMs) };
    output.line(`   ${output.text(isCrash ? 'lastExit' : 'lastExitAsTold', after)}`);
    if (firstErrorLine !== null) output.line(`      ${toOneLine(firstErrorLine).slice(0, MAX_ERROR_LENGTH)}`);
    if (crashLog !== null) output.line(`      ${output.text('crashLog', { path: crashLog })}`);
  }
}
