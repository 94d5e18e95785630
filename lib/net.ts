import { existsSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Environment, isEnabled } from './env.ts';

export type BindMode = 'loopback' | 'lan' | 'auto' | 'tailnet' | 'custom';

export type BindPlan = {
  /** Addresses to listen on. The first one must work; the others are taken when the machine has them. */
  hosts: readonly string[];
  isLoopback: boolean;
  /** Why we listen elsewhere than asked; a startup audit finding (INST-4). */
  warning?: string;
};

/**
 * Turns a bind mode into addresses (SPEC 2). `auto` opens all interfaces only inside a container. A tailnet address that
 * is not there yet falls back to loopback with a warning; nothing ever widens silently.
 */
export function planBind(mode: BindMode, customHost: string | undefined, env: Environment): BindPlan {
  switch (mode) {
    case 'loopback':
      return LOOPBACK;
    case 'lan':
      return { hosts: ['0.0.0.0'], isLoopback: false };
    case 'auto':
      return isContainer(env) ? { hosts: ['0.0.0.0'], isLoopback: false } : LOOPBACK;
    case 'tailnet':
      return planTailnet();
    case 'custom': {
      const host = customHost ?? '127.0.0.1';
      return { hosts: [host], isLoopback: isLoopbackAddress(host) };
    }
  }
}

const LOOPBACK: BindPlan = { hosts: ['127.0.0.1', '::1'], isLoopback: true };

/** True for an address that only this machine can reach. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** The URL a person types for a listening address: all-interface addresses and loopback become `localhost`. */
export function displayUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::' || isLoopbackAddress(host)) return `http://localhost:${port}`;
  return isIP(host) === 6 ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

function planTailnet(): BindPlan {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) {
      if (isTailnetAddress(address)) return { hosts: [address], isLoopback: false };
    }
  }
  return {
    ...LOOPBACK,
    warning: 'No tailnet address (100.64.0.0/10) is up: listening on loopback only until the next restart.',
  };
}

/** 100.64.0.0/10, the carrier-grade NAT block that tailnets use (RFC 6598). */
function isTailnetAddress(address: string): boolean {
  if (!isIPv4(address)) return false;
  const [first, second] = address.split('.').map(Number);
  return first === 100 && second !== undefined && second >= 64 && second <= 127;
}

/** True in a container, as far as it can be told: Docker, Kubernetes, or `XOPC_CONTAINER`. */
export function isContainer(env: Environment): boolean {
  return isEnabled(env, 'XOPC_CONTAINER') || env['KUBERNETES_SERVICE_HOST'] !== undefined || existsSync('/.dockerenv');
}
