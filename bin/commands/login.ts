import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { renderUnicodeCompact } from 'uqr';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { type Call, callOrFail, findEndpoint } from '../client.ts';
import type { CommandContext } from '../context.ts';

type Login = {
  session_key: string;
  step: 'starting' | 'scan' | 'confirm' | 'code' | 'done' | 'failed';
  qr?: string;
  problem?: string;
};

/** Between two looks, in milliseconds. */
const LOOK_MS = 500;

/**
 * `xopc gateway login CHANNEL`: shows what is to be scanned and goes along until the account is logged in. With `--json` it only
 * begins, and prints what the API says.
 */
export async function logIn(context: CommandContext, channel: string, options: Record<string, unknown>): Promise<void> {
  const { output, env, configFlag } = context;
  const endpoint = await findEndpoint(resolvePaths(env, configFlag), env);
  const call = async (request: Call): Promise<Login> => (await callOrFail(endpoint, request, output)) as Login;
  const path = `/api/channels/${encodeURIComponent(channel)}/login`;
  const body = { account_id: String(options['account']) };
  let login = await call({ method: 'POST', path: `${path}/start`, body, timeoutMs: 20_000 });
  if (options['json'] === true) return output.json({ ok: login.step !== 'failed', ...login });
  const at = `${path}/${login.session_key}`;
  let shown: Login | undefined;
  while (login.step !== 'done' && login.step !== 'failed') {
    const isNews = shown?.step !== login.step || shown.qr !== login.qr;
    shown = login;
    if (isNews) show(context, login);
    if (isNews && login.step === 'code') {
      const code = await readCode(context);
      login = await call({ method: 'POST', path: `${at}/code`, body: { code } });
    }
    await delay(LOOK_MS);
    login = await call({ method: 'GET', path: at });
  }
  if (login.step === 'failed') throw new ExitError(EXIT.failure, login.problem ?? '');
  output.headline('✅', output.text('loggedIn', { channel, account: body.account_id }));
}

function show({ output }: CommandContext, { step, qr, problem }: Login): void {
  if (problem !== undefined) output.warning(problem);
  if (step === 'confirm') output.line(output.text('loginConfirm'));
  if (step !== 'scan' || qr === undefined) return;
  output.line(renderUnicodeCompact(qr));
  output.line(output.text('loginScan', { url: qr }));
}

async function readCode({ output }: CommandContext): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await lines.question(output.text('loginCode'))).trim();
  } finally {
    lines.close();
  }
}
