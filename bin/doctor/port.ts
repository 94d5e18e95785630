import { connect } from 'node:net';
import { errorCode } from '../../lib/errors.ts';
import { findSocketHolders, readListeningSockets } from '../../supervisor/listening-sockets.ts';
import { type Endpoint, endpointOf, identityOf, isRunning } from '../instance.ts';
import { type Probe, probeGateway } from '../probe.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

const CONNECT_MS = 1_000;
const ANSWER_MS = 3_000;

/** Whether the port is free, ours, or somebody else's. */
export async function checkPort(scene: Scene): Promise<Finding[]> {
  const endpoint = endpointOf(scene.instance, scene.paths, scene.env);
  const { host, port } = endpoint;
  if (port === 0) return [fine(scene, 'port-any')];
  const config = scene.paths.configPath;
  const found = await tryConnect(host, port);
  switch (found) {
    case 'open':
      return [await askWho(endpoint, scene)];
    case 'refused':
      return [describeClosed(port, scene)];
    default:
      return [
        trouble(scene, { severity: 'warn', code: 'address-unreachable', values: { host, reason: found, config } }),
      ];
  }
}

/** `open`, `refused`, or the code of what prevents a connection. */
function tryConnect(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: string): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish('open'));
    socket.once('error', (error) => {
      const code = errorCode(error) ?? error.message;
      finish(code === 'ECONNREFUSED' ? 'refused' : code);
    });
    socket.setTimeout(CONNECT_MS, () => finish('ETIMEDOUT'));
  });
}

function describeClosed(port: number, scene: Scene): Finding {
  const { instance } = scene;
  const isStarting = instance.lock.state === 'held' && instance.lock.owner?.phase === 'starting';
  const { pid, isLocal } = identityOf(instance);
  if (!isRunning(instance) || isStarting || !isLocal) return fine(scene, 'port-free', { port });
  return trouble(scene, { severity: 'error', code: 'port-closed', values: { pid: pid ?? '?', port } });
}

async function askWho(endpoint: Endpoint, scene: Scene): Promise<Finding> {
  const { pid, instanceId } = identityOf(scene.instance);
  const probe = await probeGateway(endpoint, { instanceId, hasDetails: false, timeoutMs: ANSWER_MS });
  const isOurs = isRunning(scene.instance) && probe.t === 'answered';
  if (isOurs) return fine(scene, 'port-ours', { url: endpoint.url });
  const { port } = endpoint;
  if (probe.t === 'silent' && isRunning(scene.instance)) {
    const values = { pid: pid ?? '?', port, reason: probe.reason };
    return trouble(scene, { severity: 'error', code: 'port-silent', values });
  }
  const holder = await describeHolder(port, scene);
  const values = { port, holder, config: scene.paths.configPath };
  const instance = instanceOf(probe);
  if (instance === undefined) return trouble(scene, { severity: 'error', code: 'port-taken', values });
  return trouble(scene, { severity: 'error', code: 'port-other-gateway', values: { ...values, instance } });
}

function instanceOf(probe: Probe): string | undefined {
  if (probe.t === 'answered') return probe.health.instanceId;
  return probe.t === 'other-instance' ? probe.instanceId : undefined;
}

/** Who listens there, as far as this user may see; only Linux tells without asking other programs. */
async function describeHolder(port: number, { text }: Scene): Promise<string> {
  const sockets = readListeningSockets(port);
  const pids = findSocketHolders(sockets);
  const { readProcesses } = await import('../../supervisor/process-table.ts');
  const processes = await readProcesses(pids);
  const holders = pids.flatMap((pid) => processes.get(pid) ?? []);
  if (holders.length > 0) return holders.map(({ command, pid }) => text('holderProcess', { command, pid })).join(', ');
  const [socket] = sockets;
  return socket === undefined ? text('holderUnknown') : text('holderHidden', { uid: socket.uid });
}
