import { initialSchema } from './0001-initial.ts';

/** Every step of the schema in order; the database's `user_version` counts those that were applied. Released steps never change. */
export const MIGRATIONS: readonly string[] = [initialSchema];
