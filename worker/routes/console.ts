import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { noContent } from '../../lib/answers.ts';
import type { Context } from '../middleware/state.ts';
import { defineRoute, type Route } from './route.ts';

const FILES = [
  { path: '/', file: 'index.html', type: 'text/html', summary: 'The web console' },
  { path: '/assets/console.js', file: 'console.js', type: 'text/javascript', summary: 'Its program' },
  { path: '/assets/console.css', file: 'console.css', type: 'text/css', summary: 'Its looks' },
];

/** Nothing but our own files: no inline script, no other host, no frame around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The web console's files, read once; they hold no secret and need no credential. */
export function consoleRoutes(): Route[] {
  return FILES.map(({ path, file, type, summary }) => {
    const content = readFileSync(new URL(`../console/${file}`, import.meta.url), 'utf8');
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 20)}"`;
    return defineRoute({
      method: 'GET',
      path,
      scope: 'public',
      tag: 'Console',
      summary,
      answers: { 304: noContent },
      media: [type],
      handle({ ctx }) {
        answer(ctx, { type, content, etag });
        return undefined;
      },
    });
  });
}

function answer(ctx: Context, { type, content, etag }: { type: string; content: string; etag: string }): void {
  ctx.set({
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': POLICY,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(self)',
    ETag: etag,
  });
  ctx.type = type;
  ctx.status = 200;
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = content;
}
