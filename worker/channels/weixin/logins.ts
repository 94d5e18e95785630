import { randomBytes } from 'node:crypto';
import { errorMessage, GatewayError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { LoginDesk, LoginView } from '../plugin.ts';
import type { WeixinAccount } from './accounts.ts';
import type { CredentialStore } from './credentials.ts';
import { type LoginEnd, type LoginProgress, logIn } from './login-steps.ts';
import { WEIXIN_TIMING, type WeixinTiming } from './timing.ts';

export type LoginsOptions = {
  accounts: readonly WeixinAccount[];
  credentials: CredentialStore;
  /** Called when an account has a new login. */
  onLogin(accountId: string): void;
  timing?: WeixinTiming;
  log: Logger;
};

type Session = { view: LoginView; code: string | undefined; controller: AbortController };

/** Creates the desk at which accounts are logged in, one login of each account at a time. It keeps nothing over a restart. */
export function createLogins(options: LoginsOptions): LoginDesk {
  const { accounts, timing = WEIXIN_TIMING } = options;
  const sessions = new Map<string, Session>();
  return {
    async start(accountId) {
      const account = accounts.find((one) => one.accountId === accountId);
      if (account === undefined)
        throw new GatewayError('NOT_FOUND', `Weixin has no account "${accountId}". Check channels.weixin.accounts.`);
      for (const [key, { view, controller }] of sessions) {
        if (view.accountId !== accountId) continue;
        controller.abort();
        sessions.delete(key);
      }
      return begin(options, account, { sessions, timing });
    },
    read: (sessionKey) => sessions.get(sessionKey)?.view,
    enterCode(sessionKey, code) {
      const session = sessions.get(sessionKey);
      if (session === undefined) return undefined;
      if (session.view.step !== 'code')
        throw new GatewayError('CONFLICT', 'No digits are asked for at the moment; look at the login again.');
      session.code = code;
      return session.view;
    },
  };
}

type Desk = { sessions: Map<string, Session>; timing: WeixinTiming };

/** Resolves when there is something to scan, or it has failed. */
function begin(options: LoginsOptions, account: WeixinAccount, { sessions, timing }: Desk): Promise<LoginView> {
  const { credentials, log } = options;
  const { accountId, loginBaseUrl, routeTag } = account;
  const known = credentials.read(accountId);
  const sessionKey = randomBytes(16).toString('hex');
  const expiresAt = Date.now() + timing.loginMs;
  const controller = new AbortController();
  const session: Session = {
    view: { sessionKey, accountId, expiresAt, step: 'starting' },
    code: undefined,
    controller,
  };
  sessions.set(sessionKey, session);
  const change = (more: Omit<LoginView, 'sessionKey' | 'accountId' | 'expiresAt'>): void => {
    session.view = { sessionKey, accountId, expiresAt, ...more };
  };
  return new Promise((resolve) => {
    const working = logIn({
      ...{ loginBaseUrl, routeTag, timing },
      knownToken: known?.botToken,
      signal: controller.signal,
      takeCode() {
        const { code } = session;
        session.code = undefined;
        return code;
      },
      report(progress) {
        change(describe(progress, session.view));
        resolve(session.view);
      },
    });
    working
      .then((end) => finish(options, { accountId, since: known?.version ?? 0 }, end))
      .catch((error: unknown) => `The login failed: ${errorMessage(error)}. Begin it again.`)
      .then((problem) => {
        change(problem === undefined ? { step: 'done' } : { step: 'failed', problem });
        if (problem !== undefined && !controller.signal.aborted)
          log.warn({ accountId, problem }, 'weixin: a login failed');
        resolve(session.view);
      });
  });
}

function describe(progress: LoginProgress, { qr }: LoginView): Pick<LoginView, 'step' | 'qr' | 'problem'> {
  switch (progress.step) {
    case 'scan':
      return progress;
    case 'confirm':
      return { step: 'confirm', ...(qr === undefined ? {} : { qr }) };
    case 'code':
      return { step: 'code', ...(progress.isRepeated ? { problem: 'The digits were wrong; read them again.' } : {}) };
  }
}

/** Why nothing came of it; undefined when the account is logged in. */
function finish(
  { credentials, onLogin, log }: LoginsOptions,
  { accountId, since }: { accountId: string; since: number },
  end: LoginEnd,
): string | undefined {
  switch (end.kind) {
    case 'known':
      onLogin(accountId);
      return undefined;
    case 'failed':
      return `The login failed: ${end.reason}. Begin it again.`;
    case 'confirmed':
      if (!credentials.save(accountId, since, end.login)) return 'Another login of this account was faster and counts.';
      log.info({ accountId, bot: end.login.botId }, 'weixin: logged in');
      onLogin(accountId);
      return undefined;
  }
}
