import { EOL } from 'node:os';

export type SampleLine = {
  pid: number;
  msg: string;
  proc?: 'worker' | 'supervisor';
  level?: number;
  /** Milliseconds since 1970; now by default. */
  at?: number;
} & Record<string, unknown>;

/** A line of the gateway's log as the logger writes it. */
export function logLine({ pid, msg, proc = 'worker', level = 30, at = Date.now(), ...fields }: SampleLine): string {
  const record = { name: 'xopc', hostname: 'h', pid, proc, level, ...fields, msg, time: new Date(at), v: 0 };
  return `${JSON.stringify(record)}${EOL}`;
}
