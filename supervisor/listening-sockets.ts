import { readdirSync, readlinkSync } from 'node:fs';
import { readTextIfExists } from '../lib/fs.ts';

/** A socket in state LISTEN as the kernel names it. */
export type ListeningSocket = { inode: string; uid: number };

/** The sockets that listen on a TCP port of this machine, IPv4 and IPv6. Linux only; empty elsewhere. */
export function readListeningSockets(port: number): ListeningSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseSocketTable(readTextIfExists(path) ?? '', port));
}

/** The processes that hold one of the sockets, as far as we may look into them. Linux only. */
export function findSocketHolders(sockets: readonly ListeningSocket[]): number[] {
  const wanted = new Set(sockets.map(({ inode }) => `socket:[${inode}]`));
  if (wanted.size === 0) return [];
  const pids = listNames('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => doesHold(pid, wanted)).map(Number);
}

/** Parses `/proc/net/tcp`: the listening sockets on a port. Addresses and states are hexadecimal there; 0A is LISTEN. */
export function parseSocketTable(text: string, port: number): ListeningSocket[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets: ListeningSocket[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, , state, , , , uid, , inode] = fields;
    if (local?.endsWith(suffix) !== true || state !== '0A' || inode === undefined) continue;
    sockets.push({ inode, uid: Number(uid) });
  }
  return sockets;
}

/** Parses `netstat -ano -p TCP` of Windows: the pids that listen on a port. The state is translated, so the foreign port 0 tells. */
export function parseNetstat(text: string, port: number): number[] {
  const pids = new Set<number>();
  for (const line of text.split('\n')) {
    const [protocol, local, foreign, , pid] = line.trim().split(/\s+/);
    if (protocol !== 'TCP' || local?.endsWith(`:${port}`) !== true || foreign?.endsWith(':0') !== true) continue;
    if (Number(pid) > 0) pids.add(Number(pid));
  }
  return [...pids];
}

function doesHold(pid: string, wanted: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  return listNames(folder).some((fd) => {
    try {
      return wanted.has(readlinkSync(`${folder}/${fd}`));
    } catch {
      // Closed since the folder was read.
      return false;
    }
  });
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Gone, or a process of another user.
    return [];
  }
}
