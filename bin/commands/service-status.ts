import { EXIT } from '../../lib/exit.ts';
import type { ServiceManager, ServiceRun } from '../../supervisor/service/contract.ts';
import type { CommandContext } from '../context.ts';
import type { Output } from '../output.ts';
import { findServiceTroubles, type ShownFinding } from '../service/findings.ts';
import { openServiceScene, type ServiceScene } from '../service/scene.ts';
import { printServiceTroubles } from '../service/trouble-text.ts';

/** `xopc gateway service status`: the service as its manager sees it, with what is wrong with it. Exit 0 when it runs, else 3. */
export async function showServiceStatus(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { output } = context;
  const scene = openServiceScene(context);
  const { manager } = scene;
  const isInstalled = manager?.read() !== undefined;
  const view: View = {
    manager: isInstalled ? manager : undefined,
    run: manager === undefined || !isInstalled ? NOT_INSTALLED : await manager.look(),
    isEnabled: isInstalled && (await manager?.isEnabled()) === true,
    findings: await findServiceTroubles(scene),
  };
  if (given['json'] === true) output.json(toJson(view, scene));
  else print(view, scene, output);
  return view.run.state === 'running' ? EXIT.ok : EXIT.notRunning;
}

type View = { manager: ServiceManager | undefined; run: ServiceRun; isEnabled: boolean; findings: ShownFinding[] };

const NOT_INSTALLED: ServiceRun = { state: 'stopped', pid: null, lastExitCode: null, detail: '' };

function toJson({ manager, run, isEnabled, findings }: View, { name }: ServiceScene): Record<string, unknown> {
  return {
    ...{ ok: true, installed: manager !== undefined, name, enabled: isEnabled },
    kind: manager?.kind ?? null,
    path: manager?.mainFile ?? null,
    version: manager?.read()?.parsed?.environment['XOPC_SERVICE_VERSION'] ?? null,
    runtime: { status: run.state, pid: run.pid, lastExitCode: run.lastExitCode, detail: run.detail },
    survivesLogout: manager?.survivesLogout() ?? null,
    findings,
  };
}

function print({ manager, run, isEnabled, findings }: View, { name, text }: ServiceScene, output: Output): void {
  if (manager === undefined) {
    output.headline('⚪', text('notInstalled', { name }));
    output.line(text('installHint'));
    return;
  }
  const { state, pid, detail } = run;
  output.headline(state === 'running' ? '✅' : '⚪', text('statusLine', { name, kind: manager.kind, detail }));
  output.line(`   ${text('checkInstalled')}: ${manager.mainFile}`);
  if (pid !== null) output.line(`   PID: ${pid}`);
  output.line(`   ${text('checkEnabled')}: ${text(isEnabled ? 'proofYes' : 'proofNo')}`);
  printServiceTroubles(findings, output);
}
