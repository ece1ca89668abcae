import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * Numbers the usage writes of a process. Each write is one statement that increments the number, or does nothing when
 * the number has another value. So a write that is retried because its response was lost counts once, even when the
 * first attempt arrives long after the second.
 */
const usageWriter = `
  CREATE TABLE usage_writer (
    id text PRIMARY KEY,
    number bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
  )`;

/**
 * Records the requests that passed on a node, and grants the ones that it requests: all keys of a round at once, each
 * key once.
 *
 * It moves each window to the minute of now_ms (NULL: of the clock after the rows are locked, so that no other node is
 * ahead) as sliding-window.ts does (setting the clock back frees nothing), adds the requests that already passed (those
 * of the minute \`minutes\` and of the one before), and grants as many of the requested ones as there is room for. All
 * rows of a call are locked in the order of their keys, so that two nodes wait for each other without a deadlock, and in
 * a statement before the counting one, which then sees what the others have added. A row that is deleted in between
 * because of its age is created again.
 *
 * A crash of the database may lose the reports of the last second, which does not justify waiting for the disk.
 */
const reportWindows = `
  CREATE FUNCTION soku_tell_windows(
    now_ms bigint, keys text[], minutes bigint[], passed bigint[], passed_before bigint[], wanted bigint[],
    quotas bigint[]
  ) RETURNS TABLE (
    at_ms bigint, key_id text, minute bigint, current bigint, previous bigint, granted bigint
  ) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    time_ms bigint;
    this_minute bigint;
    left_ms bigint;
    locked bigint;
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    LOOP
      INSERT INTO rate_window (key_id, minute, current, previous)
      SELECT key, 0, 0, 0 FROM unnest(keys) AS key ORDER BY key ON CONFLICT DO NOTHING;
      PERFORM FROM rate_window WHERE key_id = ANY (keys) ORDER BY key_id FOR UPDATE;
      GET DIAGNOSTICS locked = ROW_COUNT;
      EXIT WHEN locked = cardinality(keys);
    END LOOP;
    time_ms := coalesce(now_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    this_minute := time_ms / 60000;
    left_ms := 60000 - time_ms % 60000;
    RETURN QUERY
    WITH asked AS (
      SELECT * FROM unnest(keys, minutes, passed, passed_before, wanted, quotas)
        AS a (key_id, minute, passed, passed_before, wanted, quota)
    ), moved AS (
      SELECT a.key_id, a.wanted, a.quota,
        CASE WHEN w.minute = this_minute THEN w.current WHEN w.minute > this_minute THEN w.current + w.previous ELSE 0 END
        + CASE WHEN a.minute = this_minute THEN a.passed WHEN a.minute > this_minute THEN a.passed + a.passed_before ELSE 0 END
          AS current,
        CASE this_minute - w.minute WHEN 0 THEN w.previous WHEN 1 THEN w.current ELSE 0 END
        + CASE this_minute - a.minute WHEN 0 THEN a.passed_before WHEN 1 THEN a.passed ELSE 0 END
          AS previous
      FROM asked a JOIN rate_window w ON w.key_id = a.key_id
    ), counted AS (
      SELECT m.key_id, least(m.current, 1000000000) AS current, least(m.previous, 1000000000) AS previous, m.wanted, m.quota
      FROM moved m
    ), decided AS (
      SELECT c.*, least(c.wanted, greatest(0, c.quota - c.previous * left_ms / 60000 - c.current)) AS granted
      FROM counted c
    )
    UPDATE rate_window w SET minute = this_minute, current = d.current + d.granted, previous = d.previous
    FROM decided d WHERE w.key_id = d.key_id
    RETURNING time_ms, w.key_id, w.minute, w.current, w.previous, d.granted;
  END $$`;

/** The counts that nodes share through PostgreSQL. On SQLite there is only one process and nothing to share. */
export const sharedCounts: Migration = {
  async up(db: Kysely<unknown>) {
    if (!isPostgres(db)) return;
    for (const statement of [usageWriter, reportWindows]) await sql.raw(statement).execute(db);
  },
};
