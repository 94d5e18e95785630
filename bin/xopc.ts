#!/usr/bin/env node
// Before any import: an unhandled SIGUSR1 opens Node's debugger, and it may come as soon as the process is visible.
process.on('SIGUSR1', () => undefined);

void start();

async function start(): Promise<never> {
  const { run } = await import('./run.ts');
  process.exit(await run(process.argv));
}

export {};
