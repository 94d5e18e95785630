import { existsSync, readFileSync } from 'node:fs';
import type { ServiceManager } from '../../supervisor/service/contract.ts';
import type { ServiceDefinition } from '../../supervisor/service/definition.ts';
import { judgeNodePath } from '../doctor/node-path.ts';
import type { ServiceMessages } from '../messages/service-en.ts';
import type { Output } from '../output.ts';
import type { ServiceScene } from './scene.ts';
import type { Arrival } from './wait.ts';

/** One thing that an installed service must be able to do, and whether it is (INST-1). `note`: good to know, nothing is wrong. */
export type Proof = { check: ProofName; result: 'yes' | 'no' | 'note'; detail: string; fix?: string };

type ProofName = 'installed' | 'running' | 'healthy' | 'enabled' | 'logout' | 'reboot' | 'node' | 'secret';

export type ProofOptions = {
  scene: ServiceScene;
  manager: ServiceManager;
  definition: ServiceDefinition;
  arrival: Arrival;
  /** Why the service could not be kept after a log-out; null when nothing was tried or it worked. */
  lingerFailure: string | null;
};

/** Looks at each of them. Changes nothing. */
export async function proveService(options: ProofOptions): Promise<Proof[]> {
  const { scene, manager, definition } = options;
  const isEnabled = await manager.isEnabled();
  return [
    { check: 'installed', result: manager.read() === undefined ? 'no' : 'yes', detail: manager.mainFile },
    ...proveArrival(options),
    judgeEnabled(isEnabled, scene),
    ...judgeLasting(isEnabled, options),
    judgeNode(definition, scene),
    judgeSecret(manager, definition, scene),
  ];
}

function proveArrival({ arrival, scene: { text } }: ProofOptions): Proof[] {
  if (arrival.t !== 'healthy') {
    const detail = arrival.t === 'failed' ? arrival.reason : arrival.detail;
    const hint = arrival.t === 'failed' ? arrival.hint : undefined;
    return [{ check: 'healthy', result: 'no', detail, fix: hint ?? text('proofLogs') }];
  }
  const { moment, endpoint } = arrival.sight;
  return [
    { check: 'running', result: 'yes', detail: `PID ${moment.pid ?? '?'}` },
    { check: 'healthy', result: 'yes', detail: text('proofHealthy', { url: endpoint.url, version: arrival.version }) },
  ];
}

function judgeEnabled(isEnabled: boolean, { text }: ServiceScene): Proof {
  if (isEnabled) return { check: 'enabled', result: 'yes', detail: text('proofEnabled') };
  return { check: 'enabled', result: 'no', detail: text('not-enabled'), fix: text('not-enabled.fix') };
}

/** After a boot nobody has logged in yet. */
function judgeLasting(isEnabled: boolean, { manager, scene, lingerFailure }: ProofOptions): Proof[] {
  const { text, user } = scene;
  switch (manager.survivesLogout()) {
    case 'yes':
      return [
        { check: 'logout', result: 'yes', detail: text('proofLogout') },
        { check: 'reboot', result: isEnabled ? 'yes' : 'no', detail: text('proofReboot') },
      ];
    case 'no': {
      const reason = lingerFailure === null ? '' : ` (${lingerFailure})`;
      const fix = text('linger-off.fix', { user });
      return [
        { check: 'logout', result: 'no', detail: `${text('linger-off')}${reason}`, fix },
        { check: 'reboot', result: 'no', detail: text('proofNoReboot'), fix },
      ];
    }
    case 'log-in-only':
      return [{ check: 'logout', result: 'note', detail: text('proofLogInOnly') }];
  }
}

function judgeNode({ node }: ServiceDefinition, { text }: ServiceScene): Proof {
  if (!existsSync(node)) return { check: 'node', result: 'no', detail: text('missing-node', { path: node }) };
  const owner = judgeNodePath(node);
  if (owner === undefined) return { check: 'node', result: 'yes', detail: node };
  return { check: 'node', result: 'note', detail: text('proofNodeManager', { path: node, manager: owner }) };
}

function judgeSecret(manager: ServiceManager, definition: ServiceDefinition, scene: ServiceScene): Proof {
  const token = scene.configuredToken();
  const files = manager.render(definition).filter(({ path }) => existsSync(path));
  const leaking = files.find(({ path }) => token !== undefined && readFileSync(path).includes(token));
  if (leaking === undefined) return { check: 'secret', result: 'yes', detail: scene.text('proofSecret') };
  return { check: 'secret', result: 'no', detail: scene.text('token-exposed', { file: leaking.path }) };
}

/** Prints them, one line each and what to do below. */
export function printProofs(proofs: readonly Proof[], output: Output, text: ServiceScene['text']): void {
  for (const { check, result, detail, fix } of proofs) {
    const { sign, word } = LABELS[result];
    output.line(`   ${output.isTerminal ? sign : `[${text(word)}]`} ${text(PROOF_TEXTS[check])}: ${detail}`);
    if (fix !== undefined) output.line(`      → ${fix}`);
  }
}

const LABELS: Readonly<Record<Proof['result'], { sign: string; word: keyof ServiceMessages }>> = {
  yes: { sign: '✅', word: 'proofYes' },
  no: { sign: '❌', word: 'proofNo' },
  note: { sign: 'ℹ️ ', word: 'proofNote' },
};

const PROOF_TEXTS: Readonly<Record<ProofName, keyof ServiceMessages>> = {
  installed: 'checkInstalled',
  running: 'checkRunning',
  healthy: 'checkHealthy',
  enabled: 'checkEnabled',
  logout: 'checkLogout',
  reboot: 'checkReboot',
  node: 'checkNode',
  secret: 'checkSecret',
};
