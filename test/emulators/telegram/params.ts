import type { IncomingCall } from '../core/http-server.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import { ApiError, badRequest } from './api-error.ts';
import { readMultipart, type UploadedFile } from './multipart.ts';

/** The parameters of one Bot API call, wherever they came from; later sources (the body) win over the query. */
export class Params {
  /** `files` are the uploaded parts by field name. */
  constructor(
    readonly values: JsonObject,
    readonly files: ReadonlyMap<string, UploadedFile> = new Map(),
  ) {}

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  /** The parameter as text; empty when absent, as the real server treats both alike. */
  text(name: string): string {
    const value = this.values[name];
    if (value === undefined || value === null) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** The parameter as an integer; the fallback when it is absent or no number. */
  integer(name: string, fallback: number): number {
    const text = this.text(name).trim();
    if (text === '') return fallback;
    const value = Number(text);
    return Number.isFinite(value) ? Math.trunc(value) : fallback;
  }

  flag(name: string): boolean {
    return ['true', 'yes', '1'].includes(this.text(name).trim().toLowerCase());
  }

  /** A structured parameter, also when it came as JSON inside a string; undefined when absent. */
  json(name: string): unknown {
    const value = this.values[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') return value;
    const parsed = parseJson(value);
    if (parsed === undefined) throw badRequest(`can't parse ${name.replaceAll('_', ' ')} JSON object`);
    return parsed;
  }

  /** A structured parameter that must be an object. */
  object(name: string): JsonObject | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw badRequest(`object expected as ${name.replaceAll('_', ' ')}`);
    return value;
  }
}

/** Reads query, JSON, urlencoded or multipart parameters. */
export function readParams(call: IncomingCall): Params {
  const type = call.headers['content-type'] ?? '';
  const kind = (type.split(';').at(0) ?? '').trim().toLowerCase();
  const query: JsonObject = Object.fromEntries(call.query);
  if (kind !== 'multipart/form-data' || call.body.length === 0)
    return new Params({ ...query, ...readFields(call, kind) });
  const { fields, files } = readMultipart(type, call.body);
  return new Params({ ...query, ...fields }, files);
}

function readFields(call: IncomingCall, kind: string): JsonObject {
  if (call.body.length === 0) return {};
  switch (kind) {
    case 'application/json': {
      const value = parseJson(call.body.toString());
      if (!isJsonObject(value)) throw badRequest("can't parse JSON object");
      return value;
    }
    case 'application/x-www-form-urlencoded':
      return Object.fromEntries(new URLSearchParams(call.body.toString()));
    default:
      throw new ApiError(400, 'Bad Request: unsupported content type');
  }
}
