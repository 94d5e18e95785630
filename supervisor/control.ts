import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { errorMessage } from '../lib/errors.ts';
import { ensureOwnDirectory, identifyFile, removeFile, replaceFile } from '../lib/fs.ts';
import type { Logger } from '../lib/log.ts';
import { answerRequest, type ControlHandler, refuse } from './control-request.ts';

export { type ControlHandler, ControlRefusal } from './control-request.ts';

export type ControlSocketOptions = {
  path: string;
  handle: ControlHandler;
  log: Logger;
  /** How long a client may take to send its line, `handle` to act on it, and the client to read the answer; 5 s each. */
  clientMs?: number;
};

export type ControlSocket = {
  /** Hangs up on everybody and removes the socket if it is still ours; safe to call twice. Never throws. */
  close(): void;
};

const CLIENT_MS = 5_000;
const MAX_LINE_BYTES = 4_096;
const MAX_CONNECTIONS = 32;

/**
 * Answers on the control socket from now on, as `lib/control.ts` describes. The caller holds the lock, so whatever is found
 * at the path is left over. Rejects with the reason when it cannot be opened. Never keeps the process alive.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { path, log } = options;
  const conversations = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    conversations.add(socket);
    socket.once('close', () => conversations.delete(socket));
    void converse(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    const identity = await listen(server, path);
    server.on('error', (error) => log.warn({ err: error }, 'The control socket has a problem.'));
    return {
      close() {
        server.close();
        for (const socket of conversations) socket.destroy();
        if (identity !== undefined) removeOwn(path, identity);
      },
    };
  } catch (error) {
    server.close();
    throw new Error(`The control socket ${path} cannot be opened: ${errorMessage(error)}`, { cause: error });
  }
}

/** Returns what identifies the socket file, which a named pipe of Windows does not have. */
async function listen(server: Server, path: string): Promise<string | undefined> {
  if (process.platform === 'win32') {
    await bind(server, path);
    return undefined;
  }
  ensureOwnDirectory(dirname(path));
  // libuv removes the name that it bound when it closes, whoever has taken that name by then. So it gets one of its own, no
  // longer than any socket's, and the real name is put over a stale one in one step.
  const bound = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  await bind(server, bound);
  replaceFile(bound, path);
  return identifyFile(path);
}

/** One that stays on a disk which takes nothing is replaced by the next start. */
function removeOwn(path: string, identity: string): void {
  try {
    if (identifyFile(path) === identity) removeFile(path);
  } catch {
    // Nor can anything else be done about it here.
  }
}

async function bind(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    // `listen` binds before it returns, and only the mask keeps others out from that moment on.
    const previous = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(previous);
    }
  });
  server.unref();
}

/** One line in, one line out. */
async function converse(socket: Socket, { handle, log, clientMs = CLIENT_MS }: ControlSocketOptions): Promise<void> {
  socket.unref();
  // The client went away: there is nobody left to tell.
  socket.on('error', () => undefined);
  const limit = setTimeout(() => socket.destroy(), clientMs);
  limit.unref();
  socket.once('close', () => clearTimeout(limit));
  const line = await readLine(socket);
  limit.refresh();
  const answer = line === undefined ? TOO_LONG : await answerRequest(line, handle, log);
  limit.refresh();
  if (socket.writable) socket.end(answer);
}

const TOO_LONG = refuse({ code: 'INVALID_REQUEST', message: `A request has at most ${MAX_LINE_BYTES} bytes.` });

/** The first line, or all there is when the client ends without a line break; undefined when that is too long. */
function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const end = chunk.indexOf(NEW_LINE);
      text = Buffer.concat([text, end < 0 ? chunk : chunk.subarray(0, end)]);
      if (text.length > MAX_LINE_BYTES) finish(undefined);
      else if (end >= 0) finish(text.toString('utf8'));
    });
    socket.on('end', () => finish(text.toString('utf8')));
    const finish = (line: string | undefined): void => {
      // What follows is read and dropped, so that the client is not stopped in the middle of a word.
      socket.removeAllListeners('data').resume();
      resolve(line);
    };
  });
}

const NEW_LINE = 0x0a;
