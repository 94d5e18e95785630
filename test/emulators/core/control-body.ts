import type { JsonObject } from './json.ts';

/** A control request the emulator cannot carry out; answered with 400 and the message. */
export class ControlError extends Error {}

/** A required number from a control body. */
export function requireNumber(body: JsonObject, name: string): number {
  const value = body[name];
  if (typeof value !== 'number') throw new ControlError(`${name} must be a number`);
  return value;
}

/** A required string from a control body. */
export function requireString(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new ControlError(`${name} must be a string`);
  return value;
}
