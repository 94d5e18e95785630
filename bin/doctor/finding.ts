import type { AuditCheckId } from '../../lib/audit/texts.ts';
import type { Environment } from '../../lib/env.ts';
import type { Paths } from '../../lib/paths.ts';
import type { ServiceCode } from '../../supervisor/service/audit.ts';
import type { Instance } from '../instance.ts';
import type { DoctorMessages } from '../messages/doctor-en.ts';
import type { Language, Speak } from '../output.ts';

export type Severity = 'ok' | 'info' | 'warn' | 'error';

/** One thing that was looked at. `code` never changes with the language; whatever is not `ok` has a `fix`. */
export type Finding = { code: Code | AuditCheckId | ServiceCode; severity: Severity; message: string; fix?: string };

type Key = keyof DoctorMessages;

/** The code of a finding, which is the key of its message. */
export type Code = Key extends infer K ? (K extends `${string}.fix` ? never : K) : never;

/** The code of a finding that something can be done about. */
type TroubleCode = Key extends infer K ? (K extends `${infer C}.fix` ? C & Code : never) : never;

export type Values = Readonly<Record<string, string | number>>;

/** What every check is given. A check changes nothing. */
export type Scene = {
  paths: Paths;
  env: Environment;
  instance: Instance;
  /** In milliseconds since 1970. */
  now: number;
  /** The user who looks; null where users have no number (Windows). */
  uid: number | null;
  text: Speak<keyof DoctorMessages>;
  /** For what is not said by `text`. */
  language: Language;
};

/** One area of the diagnosis. What it throws becomes a finding. */
export type Check = (scene: Scene) => Finding[] | Promise<Finding[]>;

/** A finding that is as it should be. */
export function fine({ text }: Scene, code: Code, values: Values = {}): Finding {
  return { code, severity: 'ok', message: text(code, values) };
}

export type Trouble = { severity: Exclude<Severity, 'ok'>; code: TroubleCode; values?: Values };

/** A finding that a person should know of, with what to do about it. */
export function trouble({ text }: Scene, { severity, code, values = {} }: Trouble): Finding {
  return { code, severity, message: text(code, values), fix: text(`${code}.fix`, values) };
}
