import { ControlError } from './control-body.ts';
import { type FaultAction, type FaultMatch, type FaultRule, faultActions } from './faults.ts';
import { isJsonObject, type JsonObject } from './json.ts';

const ruleKeys = [
  'match',
  'action',
  'times',
  'delayMs',
  'effect',
  'process',
  'status',
  'body',
  'html',
  'headers',
  'retryAfter',
  'code',
];
const matchKeys = ['method', 'path', 'token', 'chat', 'contains', 'nth'];

/** Checks a posted rule; a misspelt field or action is an error, so that no test passes because its fault never fired. */
export function parseFaultRule(value: unknown): FaultRule {
  if (!isJsonObject(value)) throw new ControlError('a fault rule must be an object');
  refuseUnknown(value, ruleKeys, 'fault rule');
  const match = value['match'] ?? {};
  if (!isJsonObject(match)) throw new ControlError('match must be an object');
  refuseUnknown(match, matchKeys, 'fault match');
  if (!isFaultAction(value['action'])) throw new ControlError(`unknown fault action ${String(value['action'])}`);
  if (value['action'] === 'status' && typeof value['status'] !== 'number') {
    throw new ControlError('action "status" needs a numeric status');
  }
  // The fields were checked above as far as the emulator depends on them.
  return { ...value, match: match as FaultMatch, action: value['action'] };
}

function isFaultAction(value: unknown): value is FaultAction {
  return faultActions.some((action) => action === value);
}

function refuseUnknown(value: JsonObject, known: readonly string[], what: string): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new ControlError(`unknown field in ${what}: ${unknown.join(', ')}`);
}
