import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Dialect, LlmError } from './errors.ts';
import type { ActiveSettings } from './settings.ts';

/** A request that passed every check. */
export interface CheckedRequest {
  readonly body: JsonObject;
  readonly model: string;
  readonly messages: readonly unknown[];
}

/** Finds a wrong or missing key; null when the caller may pass. */
export function checkKey(dialect: Dialect, headers: IncomingHttpHeaders, settings: ActiveSettings): LlmError | null {
  const { apiKey } = settings;
  if (apiKey === null) return null;
  if (dialect === 'anthropic') {
    const given = headers['x-api-key'];
    if (given === undefined) return { status: 401, message: 'x-api-key header is required' };
    return given === apiKey ? null : { status: 401, message: 'invalid x-api-key' };
  }
  const { authorization } = headers;
  if (authorization === undefined) return { status: 401, message: "You didn't provide an API key." };
  if (authorization === `Bearer ${apiKey}`) return null;
  return { status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' };
}

/** Checks the parsed body as the real service would: the first fault found is the answer. */
export function checkBody(dialect: Dialect, body: unknown, settings: ActiveSettings): CheckedRequest | LlmError {
  if (!isJsonObject(body)) return { status: 400, message: 'We could not parse the JSON body of your request.' };
  const { model, messages } = body;
  if (typeof model !== 'string' || model === '') return missing(dialect, 'model');
  if (!Array.isArray(messages)) return missing(dialect, 'messages');
  if (messages.length === 0) return invalid('messages', "[] is too short - 'messages'");
  const badAt = messages.findIndex((message: unknown) => !isMessage(message));
  if (badAt >= 0) return invalid('messages', `Invalid value for 'messages[${badAt}]'`);
  if (dialect === 'anthropic' && typeof body['max_tokens'] !== 'number') return missing(dialect, 'max_tokens');
  if (settings.models !== null && !settings.models.includes(model)) return unknownModel(dialect, model);
  return { body, model, messages };
}

function isMessage(value: unknown): boolean {
  if (!isJsonObject(value) || typeof value['role'] !== 'string') return false;
  const content = value['content'];
  // An assistant message that only calls tools carries no content.
  return typeof content === 'string' || Array.isArray(content) || value['tool_calls'] !== undefined;
}

function missing(dialect: Dialect, name: string): LlmError {
  if (dialect === 'anthropic') return { status: 400, message: `${name}: Field required` };
  const message = `Missing required parameter: '${name}'.`;
  return { status: 400, message, param: name, code: 'missing_required_parameter' };
}

function invalid(param: string, message: string): LlmError {
  return { status: 400, message, param, code: 'invalid_value' };
}

function unknownModel(dialect: Dialect, model: string): LlmError {
  if (dialect === 'anthropic') return { status: 404, message: `model: ${model}` };
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  return { status: 404, message, code: 'model_not_found' };
}
