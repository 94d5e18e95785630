import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { errorCode } from '../../lib/errors.ts';
import { identifyFile, removeFile } from '../../lib/fs.ts';

/** Who holds a lease; told to anybody on this machine who asks for it. */
export type LeaseHolder = { pid: number; stateDir: string; instanceId: string };

export type TokenLease = { release(): Promise<void> };

/** Somebody else has it; `heldBy` is undefined when the holder gives no answer: it is frozen, or not one of us. */
export type TokenHeld = { heldBy: LeaseHolder | undefined };

export type LeaseRequest = {
  /** Id of the channel. */
  channel: string;
  /** The credential; only its fingerprint leaves this process. */
  secret: string;
  holder: LeaseHolder;
  /** Ends the asking early. */
  signal?: AbortSignal;
  /** Milliseconds a holder has to say who it is. */
  answerMs?: number;
  platform?: NodeJS.Platform;
};

/**
 * Takes the machine-wide lease of a credential (TG-1), or tells who has it. The lease is a listening socket, so that the
 * system itself frees it when its process ends, however that happens. Rejects when no such socket can be opened at all.
 */
export async function takeTokenLease(request: LeaseRequest): Promise<TokenLease | TokenHeld> {
  const platform = request.platform ?? process.platform;
  const address = leaseAddress(platform, request.channel, request.secret);
  for (let attempt = 0; attempt < MAX_ATTEMPTS && request.signal?.aborted !== true; attempt += 1) {
    const server = await listen(address, request.holder, platform);
    if (server !== undefined) return { release: async () => void server.close() };
    const file = isFile(platform) ? identifyFile(address) : undefined;
    const answer = await askHolder(address, request);
    if (answer !== 'gone') return { heldBy: answer === 'silent' ? undefined : answer };
    if (file !== undefined && !removeStale(address, file)) break;
  }
  return { heldBy: undefined };
}

/** Holders that end and others that are quicker than we; after so many of them the caller looks again later. */
const MAX_ATTEMPTS = 5;
const ANSWER_MS = 2_000;
const MAX_ANSWER_LENGTH = 16_384;

function leaseAddress(platform: NodeJS.Platform, channel: string, secret: string): string {
  const fingerprint = createHash('sha256').update(secret).digest('hex').slice(0, 24);
  const name = `xopc-lease-${channel}-${fingerprint}`;
  // A name in Linux's abstract namespace: no file that could be left over, and the same one for all users.
  if (platform === 'linux') return `\0${name}`;
  if (platform === 'win32') return `\\\\.\\pipe\\${name}`;
  // Not the user's own temporary directory: the lease counts for the machine.
  return `/tmp/${name}.sock`;
}

function isFile(platform: NodeJS.Platform): boolean {
  return platform !== 'linux' && platform !== 'win32';
}

/** Undefined when somebody else listens there, or did. */
function listen(address: string, holder: LeaseHolder, platform: NodeJS.Platform): Promise<Server | undefined> {
  const server = createServer((socket) => introduce(socket, holder));
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    // Users who share a machine must be able to ask each other. A name in the abstract namespace has no mode.
    const access = platform === 'linux' ? {} : { readableAll: true, writableAll: true };
    server.listen({ path: address, ...access }, () => {
      server.removeAllListeners('error');
      // Such as no descriptor left for one who asks: that one hears nothing, the lease stays.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/** Says who we are and hangs up, so that nobody who asks keeps this process from ending. */
function introduce(socket: Socket, holder: LeaseHolder): void {
  socket.unref();
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify(holder)}\n`);
  socket.destroySoon();
}

type Answer = LeaseHolder | 'silent' | 'gone';

function askHolder(address: string, { answerMs, signal }: LeaseRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ path: address });
    let said = '';
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => finish('silent');
    const timer = setTimeout(giveUp, answerMs ?? ANSWER_MS);
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      said += chunk;
      if (said.length > MAX_ANSWER_LENGTH) giveUp();
    });
    socket.once('end', () => finish(said === '' ? 'gone' : (readHolder(said) ?? 'silent')));
    // Anything else means that somebody listens: too many ask it already, or it belongs to a user who lets nobody ask.
    socket.once('error', (error) => finish(GONE.has(errorCode(error) ?? '') ? 'gone' : 'silent'));
  });
}

/** Nobody listens any more, or stopped while we waited for our turn. */
const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE']);

function readHolder(line: string): LeaseHolder | undefined {
  try {
    const { pid, stateDir, instanceId } = JSON.parse(line) as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof stateDir !== 'string' || typeof instanceId !== 'string') return undefined;
    return { pid, stateDir, instanceId };
  } catch {
    return undefined;
  }
}

/** False when it belongs to another user, who alone can remove it. */
function removeStale(path: string, file: string): boolean {
  try {
    // Somebody else may have removed it already, and listen on a new one.
    if (identifyFile(path) === file) removeFile(path);
    return true;
  } catch {
    return false;
  }
}
