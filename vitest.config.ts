import { defineConfig } from 'vitest/config';
import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with one plain line, so that any tool can read the counts. */
const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state] += 1;
      }
      if (module.errors().length > 0) counts.failed += 1;
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  },
};

export default defineConfig({
  test: {
    reporters: ['default', closingLine],
    pool: 'forks',
    // Most tests of processes wait for a limit to pass, so that two files at a time fit on two cores.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{emulators,supervisor,e2e,chaos}/**', 'test/worker/{channels,agent/providers}/**'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: [
            'test/{emulators,supervisor,e2e,chaos}/**/*.test.ts',
            'test/worker/{channels,agent/providers}/**/*.test.ts',
          ],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
