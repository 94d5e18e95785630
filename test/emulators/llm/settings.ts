import { ControlError } from '../core/control-body.ts';
import type { JsonObject } from '../core/json.ts';
import type { LlmSettings } from './control-contract.ts';

/** The settings the emulator runs with. */
export type ActiveSettings = Required<LlmSettings>;

/** What applies until a test says otherwise. */
export const defaultSettings: ActiveSettings = {
  apiKey: null,
  models: null,
  firstDelayMs: 0,
  gapMs: 0,
  chunks: 4,
  journal: true,
};

/** Lays a posted patch over the current settings; unknown names and wrong kinds are errors. */
export function patchSettings(current: ActiveSettings, patch: JsonObject): ActiveSettings {
  let next = current;
  for (const [name, value] of Object.entries(patch)) {
    if (!isSetting(name, value)) throw new ControlError(`bad setting ${name}: ${JSON.stringify(value)}`);
    next = { ...next, [name]: value };
  }
  return next;
}

function isSetting(name: string, value: unknown): boolean {
  switch (name) {
    case 'apiKey':
      return value === null || typeof value === 'string';
    case 'models':
      return value === null || (Array.isArray(value) && value.every((model) => typeof model === 'string'));
    case 'firstDelayMs':
    case 'gapMs':
      return typeof value === 'number' && value >= 0;
    case 'chunks':
      return typeof value === 'number' && Number.isInteger(value) && value > 0;
    case 'journal':
      return typeof value === 'boolean';
    default:
      return false;
  }
}
