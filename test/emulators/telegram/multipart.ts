import { ApiError, badRequest } from './api-error.ts';

/** A file part of a multipart body. */
export interface UploadedFile {
  readonly name: string;
  readonly content: Buffer;
}

/** A multipart body: text fields, and the parts that have a file name. */
export interface MultipartBody {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: ReadonlyMap<string, UploadedFile>;
}

const maxUploadBytes = 50 << 20;

/** Reads a multipart body byte by byte; one that is not well formed is a 400, a file of more than 50 MB a 413. */
export function readMultipart(contentType: string, body: Buffer): MultipartBody {
  const fields: Record<string, string> = {};
  const files = new Map<string, UploadedFile>();
  for (const part of splitParts(body, readBoundary(contentType))) {
    const end = part.indexOf('\r\n\r\n');
    if (end < 0) throw malformed('a part has no end of its headers');
    const { name, fileName } = readDisposition(part.toString('utf8', 0, end));
    const content = part.subarray(end + 4);
    if (content.length > maxUploadBytes) throw new ApiError(413, 'Request Entity Too Large');
    if (fileName === null) fields[name] = content.toString('utf8');
    else files.set(name, { name: fileName, content });
  }
  return { fields, files };
}

function readBoundary(contentType: string): string {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;\s"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) throw badRequest('boundary not found in multipart content type');
  return boundary;
}

function splitParts(body: Buffer, boundary: string): Buffer[] {
  const opening = `--${boundary}`;
  const delimiter = Buffer.from(`\r\n${opening}`);
  const parts: Buffer[] = [];
  const first = body.indexOf(opening);
  if (first < 0 || (first > 0 && body.toString('latin1', first - 2, first) !== '\r\n'))
    throw malformed('no first part');
  let at = first + opening.length;
  for (;;) {
    const mark = body.toString('latin1', at, at + 2);
    if (mark === '--') return parts;
    if (mark !== '\r\n') throw malformed('a boundary is not followed by a line end');
    const end = body.indexOf(delimiter, at);
    if (end < 0) throw malformed('the closing boundary is missing');
    parts.push(body.subarray(at + 2, Math.max(at + 2, end)));
    at = end + delimiter.length;
  }
}

function readDisposition(header: string): { name: string; fileName: string | null } {
  const line = header.split('\r\n').find((text) => /^content-disposition:\s*form-data\b/i.test(text));
  if (line === undefined) throw malformed('a part has no form-data disposition');
  let name: string | null = null;
  let fileName: string | null = null;
  // grammY writes the file name without quotes, so a bare value may hold spaces and ends at the semicolon.
  for (const [, key = '', quoted, bare = ''] of line.matchAll(
    /;\s*(name|filename)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))/gi,
  )) {
    const value = quoted === undefined ? bare.trim() : quoted.replace(/\\(.)/g, '$1');
    if (key.toLowerCase() === 'name') name = value;
    else fileName = value.split(/[/\\]/).at(-1) ?? value;
  }
  if (name === null) throw malformed('a part has no name');
  return { name, fileName };
}

function malformed(reason: string): ApiError {
  return badRequest(`can't parse multipart body: ${reason}`);
}
