import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * Runs a module of `lib` in several threads at the very same moment: each gets the module as `lib`, its number as `index`
 * and the values as `data`, and its `return` value is collected.
 */
export async function runInThreads(options: {
  module: string;
  count: number;
  code: string;
  data: unknown;
}): Promise<unknown[]> {
  const bundle = join(temporaryDirectory(), 'module.mjs');
  await build({
    entryPoints: [join('lib', options.module)],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { gate, count, index, data, bundle } = workerData;
    import(bundle).then((lib) => {
      if (Atomics.add(gate, 0, 1) + 1 === count) { Atomics.store(gate, 1, 1); Atomics.notify(gate, 1); }
      Atomics.wait(gate, 1, 0);
      parentPort.postMessage((() => { ${options.code} })());
    });`;
  return Promise.all(
    Array.from({ length: options.count }, (_, index) => {
      const workerData = { gate, count: options.count, index, data: options.data, bundle };
      return new Promise((resolve, reject) => {
        const worker = new Worker(program, { eval: true, workerData });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
}
