import { existsSync } from 'node:fs';
import type { SupervisorStatus } from '../../lib/control.ts';
import { errorMessage } from '../../lib/errors.ts';
import { identityOf } from '../instance.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

const ANSWER_MS = 2_000;

/** Whether the gateway answers on its control socket, and what it says of itself. */
export async function checkControl(scene: Scene): Promise<Finding[]> {
  const { lock, status } = scene.instance;
  if (status !== undefined) return lock.state === 'held' ? describe(status, scene) : [stray(status, scene)];
  // Of one in another container the lock says all that can be known here.
  if (lock.state === 'held' && lock.reason === 'foreign-namespace') return [];
  if (lock.state === 'held') return [await explainSilence(lock.owner?.phase === 'starting', scene)];
  const path = scene.paths.controlSocket;
  // A named pipe of Windows ends with its owner.
  const isLeft = process.platform !== 'win32' && existsSync(path);
  if (isLeft) return [trouble(scene, { severity: 'info', code: 'control-left', values: { path } })];
  return [fine(scene, 'control-idle')];
}

function describe(status: SupervisorStatus, scene: Scene): Finding[] {
  const { pid, phase, reason, crashes, restartFailure } = status;
  const findings = [fine(scene, 'control-answers', { pid, phase, reason })];
  if (phase === 'safe-mode')
    findings.push(trouble(scene, { severity: 'warn', code: 'safe-mode', values: { recent: crashes.recent } }));
  if (phase === 'backoff')
    findings.push(trouble(scene, { severity: 'warn', code: 'worker-waiting', values: { reason } }));
  if (restartFailure !== null)
    findings.push(trouble(scene, { severity: 'warn', code: 'restart-failed', values: { reason: restartFailure } }));
  return findings;
}

function stray({ pid }: SupervisorStatus, scene: Scene): Finding {
  return trouble(scene, { severity: 'warn', code: 'control-stray', values: { pid } });
}

/** Asks once more, for the reason. */
async function explainSilence(isStarting: boolean, scene: Scene): Promise<Finding> {
  const { callControl, ControlUnavailable } = await import('../../lib/control-client.ts');
  const path = scene.paths.controlSocket;
  const pid = identityOf(scene.instance).pid ?? '?';
  try {
    const { reason, phase } = await callControl(path, { do: 'status' }, ANSWER_MS);
    return fine(scene, 'control-answers', { pid, phase, reason });
  } catch (error) {
    const values = { path, pid, reason: errorMessage(error) };
    if (error instanceof ControlUnavailable)
      return trouble(scene, { severity: isStarting ? 'info' : 'warn', code: 'control-missing', values });
    return trouble(scene, { severity: 'error', code: 'control-silent', values });
  }
}
