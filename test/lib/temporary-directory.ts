import { onTestFinished } from 'vitest';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';

/** A new empty directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const { path, remove } = makeTemporaryDirectory();
  onTestFinished(remove);
  return path;
}
