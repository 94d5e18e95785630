import { initialSchema } from './0001-initial.ts';
import { queuesSchema } from './0002-queues.ts';
import { cronSchema } from './0003-cron.ts';
import { sendWindowsSchema } from './0004-send-windows.ts';

/** Every step of the schema in order; the database's `user_version` counts those that were applied. Released steps never change. */
export const MIGRATIONS: readonly string[] = [initialSchema, queuesSchema, cronSchema, sendWindowsSchema];
