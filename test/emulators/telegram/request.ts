import type { IncomingCall } from '../core/http-server.ts';
import { ApiError } from './api-error.ts';
import { findMethod } from './methods/index.ts';
import { Params, readParams } from './params.ts';

/** A request to the Bot API or to its files; `read` is the error when the parameters cannot be read. */
export interface BotRequest {
  /** Empty when the path is none of the service's. */
  readonly token: string;
  readonly method: string;
  readonly isDownload: boolean;
  readonly read: Params | ApiError;
}

/** Reads `/bot<token>/<method>` and `GET /file/bot<token>/<file_path>`. */
export function readRequest(call: IncomingCall): BotRequest {
  const path = decodePath(call.path);
  const [, owner, filePath] = /^\/file\/bot([^/]*)\/(.+)$/.exec(path) ?? [];
  if (owner !== undefined && filePath !== undefined && call.method === 'GET') {
    return { token: owner, method: 'file', isDownload: true, read: new Params({ file_path: filePath }) };
  }
  const [, token = '', name = ''] = /^\/bot([^/]*)\/(.*?)\/?$/.exec(path) ?? [];
  return { token, method: findMethod(name)?.name ?? name, isDownload: false, read: tryRead(call) };
}

function tryRead(call: IncomingCall): Params | ApiError {
  try {
    return readParams(call);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not percent-encoded text: it can only lead to "not found".
    return path;
  }
}
