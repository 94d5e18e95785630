import { isContainer } from '../../lib/net.ts';
import { findLauncher } from '../../supervisor/child.ts';
import { readProcessStat } from '../../supervisor/process-identity.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';
import { judgeNodePath } from './node-path.ts';

/** The oldest Node.js that the gateway runs on; the same as `engines` in package.json, which a test compares. */
export const OLDEST_NODE = '20.19.0';

/** Node.js and what stands around the process: version, path, orphan protection, init. */
export function checkRuntime(scene: Scene): Finding[] {
  return [
    ...judgeNode({ version: process.versions.node, path: process.execPath }, scene),
    ...judgeOrphanProtection(scene),
    ...judgeInit(scene),
  ];
}

/** Whether this Node.js is new enough, and whether its path will last: a service keeps the path. */
export function judgeNode({ version, path }: { version: string; path: string }, scene: Scene): Finding[] {
  const manager = judgeNodePath(path);
  const supported = isAtLeast(version, OLDEST_NODE)
    ? fine(scene, 'node-supported', { version, path })
    : trouble(scene, { severity: 'error', code: 'node-too-old', values: { version, minimum: OLDEST_NODE } });
  if (manager === undefined) return [supported];
  const values = { manager, path };
  return [supported, trouble(scene, { severity: 'warn', code: 'node-version-manager', values })];
}

function isAtLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = minimum.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function judgeOrphanProtection(scene: Scene): Finding[] {
  if (process.platform !== 'linux') return [];
  if (findLauncher(scene.env).length > 0) return [fine(scene, 'orphan-protection')];
  return [trouble(scene, { severity: 'info', code: 'setpriv-missing' })];
}

/** Only in a container somebody else than the system's init can be PID 1. */
function judgeInit(scene: Scene): Finding[] {
  const name = readProcessStat(1)?.name;
  const { lock } = scene.instance;
  const isPidOne = lock.state === 'held' && lock.owner?.pid === 1;
  if (name === undefined || !(isPidOne || isContainer(scene.env))) return [];
  if (INITS.has(name)) return [fine(scene, 'in-container', { name })];
  return [trouble(scene, { severity: 'info', code: 'pid-one', values: { name } })];
}

/** As the kernel names them: 15 characters at most. */
const INITS: ReadonlySet<string> = new Set([
  'systemd',
  'init',
  'tini',
  'docker-init',
  'dumb-init',
  'catatonit',
  'podman-init',
  'runit',
  's6-svscan',
]);
