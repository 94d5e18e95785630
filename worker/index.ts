// The handlers come before any import: an unhandled SIGUSR1 opens Node's debugger, and Ctrl+C or a signal to the whole group
// must not end the worker, which obeys its supervisor's `worker.drain` only.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const)
  process.on(signal, () => undefined);
// Nobody can stop or replace a worker without its supervisor, and the next one wants the port (ORPH-1).
process.once('disconnect', () => process.exit(70));
process.title = 'xopc-worker';

const { runWorker } = await import('./main.ts');
process.exit(await runWorker());

export {};
