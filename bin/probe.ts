import type { AuditFinding } from '../lib/audit/audit.ts';
import { isRecord } from '../lib/config/source.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Answer } from './client.ts';
import type { Endpoint } from './instance.ts';

/** What `/api/health` tells an owner; what is not there was not told. */
export type Health = {
  status: string;
  uptime?: number;
  version?: string;
  instanceId: string;
  generation?: number;
  channels?: ({ id: string; accounts: ({ accountId: string } & ChannelHealth)[] } & Partial<ChannelHealth>)[];
  queues?: { inbox: number; outbox: number };
  findings?: AuditFinding[];
  /** What of the configuration file is not in use yet, and why. */
  config?: { pending: { path: string; effect: string }[]; problems: { path: string; message: string }[] };
};

type ChannelHealth = { state: string; since: number; lastError?: string };

/** What came of asking the port: the gateway that was meant, another one (MULTI-2), something else, or nothing of use. */
export type Probe =
  | { t: 'skipped' }
  | { t: 'answered'; health: Health }
  | { t: 'other-instance'; instanceId: string }
  | { t: 'stranger' }
  | { t: 'silent'; reason: string };

export type ProbeOptions = {
  /** Who should answer; empty when nobody knows. */
  instanceId: string;
  /** Also asks for what only an owner is told, once it is known who answers. */
  hasDetails: boolean;
  timeoutMs: number;
};

/** Asks the port for its health. Never rejects, and shows the credential to nobody but the gateway that is meant. */
export async function probeGateway(endpoint: Endpoint, options: ProbeOptions): Promise<Probe> {
  const first = judge(await ask({ ...endpoint, secret: undefined }, options.timeoutMs), options.instanceId);
  if (first.t !== 'answered' || !options.hasDetails || endpoint.secret === undefined) return first;
  const second = judge(await ask(endpoint, options.timeoutMs), options.instanceId);
  // It answered a moment ago: without the details its health is still worth more than nothing.
  return second.t === 'silent' ? first : second;
}

async function ask(endpoint: Pick<Endpoint, 'host' | 'port' | 'secret'>, timeoutMs: number): Promise<Answer | Probe> {
  // Only here: most commands do without an HTTP client, and it takes time to load.
  const { callGateway, StrangerError } = await import('./client.ts');
  try {
    return await callGateway(endpoint, { method: 'GET', path: '/api/health', timeoutMs });
  } catch (error) {
    return error instanceof StrangerError ? { t: 'stranger' } : { t: 'silent', reason: errorMessage(error) };
  }
}

function judge(answer: Answer | Probe, instanceId: string): Probe {
  if ('t' in answer) return answer;
  const { status, body } = answer;
  if (status !== 200) return { t: 'silent', reason: `HTTP ${status}${describeError(body)}` };
  const reached = body['instanceId'];
  if (typeof reached !== 'string') return { t: 'stranger' };
  if (instanceId !== '' && reached !== instanceId) return { t: 'other-instance', instanceId: reached };
  return { t: 'answered', health: body as Health };
}

function describeError({ error }: Record<string, unknown>): string {
  return isRecord(error) && typeof error['message'] === 'string' ? `: ${error['message']}` : '';
}
