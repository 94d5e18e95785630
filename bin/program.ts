import { Command, CommanderError, Option } from 'commander';
import { EXIT } from '../lib/exit.ts';
import { VERSION } from '../lib/version.ts';
import { type Caller, type CommandContext, createContext } from './context.ts';
import type { Language } from './output.ts';

/** Runs any command line and returns its exit code. Rejects with what the command throws. */
export async function runProgram(argv: readonly string[], caller: Caller): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(caller, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

type Finish = (exitCode: number) => void;

function buildProgram(caller: Caller, finish: Finish): Command {
  const program = new Command('xopc')
    .description('Gateway between chat apps and AI agents')
    .version(VERSION)
    .addOption(new Option('--lang <language>', 'language of the output').choices(['en', 'zh']))
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const context: MakeContext = (options) => {
    const { lang } = program.opts<{ lang?: Language }>();
    caller.language = lang;
    return createContext(caller, options);
  };
  addGateway(program, context, finish);
  return program;
}

type MakeContext = (options: Record<string, unknown>) => Promise<CommandContext>;

function addGateway(program: Command, context: MakeContext, finish: Finish): void {
  const gateway = program
    .command('gateway')
    .description('run the gateway in the foreground, or manage the one that runs')
    .option('--config <path>', 'configuration file (default ~/.xopc/xopc.json)')
    .option('--port <number>', 'port to listen on')
    .addOption(new Option('--bind <mode>', 'where to listen').choices(['loopback', 'lan', 'auto', 'tailnet', 'custom']))
    .option('--token <token>', 'token that callers must present; "-" reads it from standard input')
    .option('--force', 'end whatever holds the port')
    .option('--env-file <path>', 'file of NAME=value lines; what is set in the environment wins')
    .action(async (options) => {
      const { startGateway } = await import('./commands/gateway.ts');
      finish(await startGateway(await context(options), options));
    });
  const sub = (name: string, description: string): Command =>
    gateway.command(name).description(description).option('--json', 'one JSON document instead of text');
  // Options that stand before the sub-command, such as --config, belong to `gateway`.
  const merged = (command: Command): Record<string, unknown> => command.optsWithGlobals();

  addControls({ sub, merged, context, finish });
  addService(gateway, { merged, context, finish });
  gateway
    .command('logs')
    .description('show the last lines of the log')
    .option('-n, --lines <count>', 'how many, counted after --level', '50')
    .option('-f, --follow', 'go on with what is added, until Ctrl+C')
    .option('--level <level>', 'only this level and above: trace, debug, info, warn, error, fatal')
    .option('--json', 'the JSON lines as they are, one document each')
    .action(async (_options, command: Command) => {
      const { showLogs } = await import('./commands/logs.ts');
      finish(await showLogs(await context(merged(command)), merged(command)));
    });
  sub('doctor', 'check everything that the gateway needs, and change nothing').action(
    async (_options, command: Command) => {
      const { runDoctor } = await import('./commands/doctor.ts');
      finish(await runDoctor(await context(merged(command)), merged(command)));
    },
  );
  addPairing(gateway, context, merged);
  sub('login', 'log an account of a channel in, by a QR code that you scan with your phone')
    .argument('<channel>', 'such as weixin')
    .option('--account <id>', 'account of the channel', 'default')
    .action(async (channel: string, _options, command: Command) => {
      const { logIn } = await import('./commands/login.ts');
      await logIn(await context(merged(command)), channel, merged(command));
    });
  addOutbox(gateway, context, merged);
  addConfig({ gateway, context, merged, finish });
}

type Controls = {
  sub(name: string, description: string): Command;
  merged(command: Command): Record<string, unknown>;
  context: MakeContext;
  finish: Finish;
};

/** What looks at a running gateway or tells it something. */
function addControls({ sub, merged, context, finish }: Controls): void {
  sub('status', 'show whether the gateway runs, and how it is')
    .option('--no-probe', 'ask its supervisor only, not the port')
    .action(async (_options, command: Command) => {
      const { showStatus } = await import('./commands/status.ts');
      finish(await showStatus(await context(merged(command)), merged(command)));
    });
  sub('stop', 'stop the gateway and wait until it is gone')
    .option('--disable', 'also keep its service from starting it again')
    .option('--timeout <duration>', 'how long to wait', '30s')
    .action(async (_options, command: Command) => {
      const { stopGateway } = await import('./commands/stop.ts');
      finish(await stopGateway(await context(merged(command)), merged(command)));
    });
  sub('restart', 'start the gateway anew with its current configuration; nobody is refused meanwhile')
    .option('--wait [duration]', 'wait until the new worker serves (default 30s)')
    .option('--force', 'do not wait for running turns')
    .action(async (_options, command: Command) => {
      const { restartGateway } = await import('./commands/restart.ts');
      finish(await restartGateway(await context(merged(command)), merged(command)));
    });
  const token = sub('token', 'show the token, or make a further one')
    .option('--show', 'in full')
    .option('--yes', 'also when the output is no terminal')
    .action(async (_options, command: Command) => {
      const { showToken } = await import('./commands/token.ts');
      finish(await showToken(await context(merged(command)), merged(command)));
    });
  token
    .command('create <name>')
    .description('make a token for a program, with what it may do')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(['read', 'write', 'admin']).default('read'))
    .option('--json', 'one JSON document instead of text')
    .action(async (name: string, _options, command: Command) => {
      const { createToken } = await import('./commands/token-create.ts');
      createToken(await context(merged(command)), name, merged(command));
    });
}

/** The service of the operating system that runs the gateway. */
function addService(gateway: Command, { merged, context, finish }: Omit<Controls, 'sub'>): void {
  const service = gateway.command('service').description('run the gateway as a service of the operating system');
  const sub = (name: string, description: string): Command =>
    service.command(name).description(description).option('--json', 'one JSON document instead of text');
  sub('install', 'install or update the service, start it, and prove that it works')
    .option('--socket', 'let systemd hold the port, so that nobody is refused while the service is replaced')
    .option('--system', 'prepare a service of the whole machine, and show what its administrator has to run')
    .option('--timeout <duration>', 'how long to wait until it serves', '60s')
    .action(async (_options, command: Command) => {
      const { installService } = await import('./commands/service-install.ts');
      finish(await installService(await context(merged(command)), merged(command)));
    });
  sub('start', 'start the installed service and wait until it serves')
    .option('--timeout <duration>', 'how long to wait', '60s')
    .action(async (_options, command: Command) => {
      const { startService } = await import('./commands/service-start.ts');
      finish(await startService(await context(merged(command)), merged(command)));
    });
  sub('status', 'show the service as its manager sees it, and what is wrong with it').action(
    async (_options, command: Command) => {
      const { showServiceStatus } = await import('./commands/service-status.ts');
      finish(await showServiceStatus(await context(merged(command)), merged(command)));
    },
  );
  sub('uninstall', 'stop and remove the service; configuration and data stay').action(
    async (_options, command: Command) => {
      const { uninstallService } = await import('./commands/service-uninstall.ts');
      finish(await uninstallService(await context(merged(command)), merged(command)));
    },
  );
}

function addPairing(
  gateway: Command,
  context: MakeContext,
  merged: (command: Command) => Record<string, unknown>,
): void {
  const pairing = gateway.command('pairing').description('who may write to the channels in private');
  const json = ['--json', 'one JSON document instead of text'] as const;
  pairing
    .command('list')
    .description('list who is paired and who asks to be')
    .option(...json)
    .action(async (_options, command: Command) => {
      const { listPairings } = await import('./commands/pairing.ts');
      await listPairings(await context(merged(command)), merged(command));
    });
  pairing
    .command('approve')
    .argument('<code>', 'the code that the sender was shown')
    .description('let a sender in')
    .option(...json)
    .action(async (code: string, _options, command: Command) => {
      const { approvePairing } = await import('./commands/pairing.ts');
      await approvePairing(await context(merged(command)), code, merged(command));
    });
  pairing
    .command('revoke')
    .argument('<channel>')
    .argument('<peer>', 'id of the sender')
    .option('--account <id>', 'account of the channel', 'default')
    .description('shut a sender out')
    .option(...json)
    .action(async (channel: string, peer: string, _options, command: Command) => {
      const { revokePairing } = await import('./commands/pairing.ts');
      await revokePairing(await context(merged(command)), { channel, peer }, merged(command));
    });
}

function addOutbox(
  gateway: Command,
  context: MakeContext,
  merged: (command: Command) => Record<string, unknown>,
): void {
  const outbox = gateway.command('outbox').description('messages that wait to be sent, and those that were given up');
  const json = ['--json', 'one JSON document instead of text'] as const;
  outbox
    .command('list')
    .description('list them, newest first')
    .addOption(new Option('--state <state>', 'which').choices(['pending', 'dead', 'all']).default('dead'))
    .option('--limit <count>', 'how many, 200 at most', '50')
    .option(...json)
    .action(async (_options, command: Command) => {
      const { listOutbox } = await import('./commands/outbox.ts');
      await listOutbox(await context(merged(command)), merged(command));
    });
  outbox
    .command('retry <id>')
    .description('send one again that was given up')
    .option(...json)
    .action(async (id: string, _options, command: Command) => {
      const { retryMessage } = await import('./commands/outbox.ts');
      await retryMessage(await context(merged(command)), id, merged(command));
    });
  outbox
    .command('drop <id>')
    .description('give up one that waits, or forget one that was given up')
    .option(...json)
    .action(async (id: string, _options, command: Command) => {
      const { dropMessage } = await import('./commands/outbox.ts');
      await dropMessage(await context(merged(command)), id, merged(command));
    });
}

type ConfigControls = Omit<Controls, 'sub'> & { gateway: Command };

function addConfig({ gateway, context, merged, finish }: ConfigControls): void {
  const config = gateway.command('config').description('show and change the configuration file');
  const sub = (name: string, description: string): Command =>
    config.command(name).description(description).option('--json', 'one JSON document instead of text');
  const loss = ['--confirm-loss', 'also when credentials, or much at once, are removed'] as const;
  sub('path', 'show where the file is').action(async (_options, command: Command) => {
    const { showConfigPath } = await import('./commands/config.ts');
    showConfigPath(await context(merged(command)), merged(command));
  });
  sub('get [path]', 'show what the file says, credentials hidden')
    .option('--show', 'credentials too')
    .option('--yes', 'also when the output is no terminal')
    .action(async (path: string | undefined, _options, command: Command) => {
      const { getConfig } = await import('./commands/config.ts');
      getConfig(await context(merged(command)), path, merged(command));
    });
  sub('set <path> <value>', 'set one setting; the value is JSON or text, "-" reads it from standard input')
    .option(...loss)
    .action(async (path: string, value: string, _options, command: Command) => {
      const { setConfig } = await import('./commands/config.ts');
      await setConfig(await context(merged(command)), { path, value }, merged(command));
    });
  sub('unset <path>', 'remove one setting, so that its default holds')
    .option(...loss)
    .action(async (path: string, _options, command: Command) => {
      const { unsetConfig } = await import('./commands/config.ts');
      await unsetConfig(await context(merged(command)), path, merged(command));
    });
  sub('validate', 'check the file; exit 78 when no gateway would start with it').action(
    async (_options, command: Command) => {
      const { validateConfig } = await import('./commands/config.ts');
      finish(validateConfig(await context(merged(command)), merged(command)));
    },
  );
}
