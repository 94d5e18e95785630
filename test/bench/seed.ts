import { join } from 'node:path';
import type { Database } from '../../worker/store/database.ts';
import { openDatabase } from '../../worker/store/open.ts';

/** The database of a gateway whose home this is. */
export function databasePath(home: string): string {
  return join(home, 'state', 'gateway.db');
}

/** Fills the database of a gateway that is not running with what the product's own functions write. */
export async function seedDatabase(home: string, fill: (database: Database) => Promise<void>): Promise<void> {
  const database = openDatabase({ path: databasePath(home), durability: 'normal' });
  try {
    await fill(database);
  } finally {
    database.close();
  }
}
