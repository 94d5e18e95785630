/**
 * Jobs by the clock and what became of each of their slots. A job knows its next slot (`slot_at`, what the schedule says) and when
 * that is due (`due_at`, with its jitter); both are empty when nothing more will come. A run is a slot that is worked on, or that
 * was passed over with the reason: `slot_at` names it, once per attempt; `slot_end` is the last one of a row of slots that were
 * passed over together. Runs by hand have no slot. What is under way is found without a look at the rest.
 */
export const cronSchema = `
CREATE TABLE cron_jobs (
  id TEXT PRIMARY KEY,
  definition TEXT NOT NULL CHECK (json_valid(definition)),
  enabled INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  slot_at INTEGER,
  due_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cron_jobs_due ON cron_jobs (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE cron_runs (
  id INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES cron_jobs (id) ON DELETE CASCADE,
  slot_at INTEGER,
  slot_end INTEGER,
  attempt INTEGER NOT NULL DEFAULT 1,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'answered', 'ok', 'error', 'skipped')),
  reason TEXT,
  ready_at INTEGER NOT NULL,
  run_id TEXT,
  session_key TEXT,
  outcome TEXT,
  summary TEXT,
  delivery TEXT,
  first_seq INTEGER,
  parts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  UNIQUE (job_id, slot_at, attempt)
) STRICT;
CREATE INDEX cron_runs_by_job ON cron_runs (job_id, id);
CREATE INDEX cron_runs_waiting ON cron_runs (ready_at, id) WHERE state='waiting';
CREATE INDEX cron_runs_open ON cron_runs (state, job_id) WHERE state IN ('running', 'answered');
CREATE UNIQUE INDEX cron_runs_by_run ON cron_runs (run_id) WHERE run_id IS NOT NULL`;
