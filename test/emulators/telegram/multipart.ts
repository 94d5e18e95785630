import { badRequest } from './api-error.ts';

/** Reads the text fields of a multipart body; a part with a file name is answered as not supported. */
export function readMultipart(contentType: string, body: Buffer): Record<string, string> {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw badRequest('boundary not found in multipart content type');
  const fields: Record<string, string> = {};
  // latin1 keeps every byte, so that cutting at the boundary cannot damage the UTF-8 inside.
  const parts = body.toString('latin1').split(`--${boundary}`);
  for (const part of parts.slice(1, -1)) {
    const end = part.indexOf('\r\n\r\n');
    if (end < 0) throw badRequest('malformed multipart part');
    const header = part.slice(0, end);
    const name = /\bname="([^"]*)"/i.exec(header)?.[1];
    if (name === undefined) continue;
    if (/\bfilename=/i.test(header)) throw badRequest('this emulator takes no files');
    fields[name] = Buffer.from(part.slice(end + 4, -2), 'latin1').toString('utf8');
  }
  return fields;
}
