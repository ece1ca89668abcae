import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * Grants requests of keys to a node, which may let them pass until the minute ends: all keys of a round at once, each
 * key once. A call may also return grants that the node did not use in the minute before.
 *
 * The row of a key is a window as in sliding-window.ts, by the database's clock (NULL: of the clock after the rows are
 * locked, so that no other node is ahead). In each new minute it starts with the requests that nodes may let pass
 * without a grant, a twentieth of the limit unless their shares of it are 0; grants are added. Setting the clock back
 * frees nothing.
 *
 * A node has a share of a minute if it was registered 20 s before, and knew its share before the minute began. The
 * caller may be an exception: \`without_share\` is its ID if it knows that it has none in \`without_share_minute\`.
 *
 * A node gets at most an even part of half the room, so that some is left for the others. All rows are locked in the
 * order of their keys, so that two nodes wait for each other without a deadlock, and in a statement before the counting
 * one, which then sees what the others have added. A row that is deleted in between because of its age is created again.
 *
 * A crash of the database may lose the grants of the last second, which does not justify waiting for the disk.
 *
 * \`soku_tell_windows\` of migration 0006 stays: nodes of the previous version call it during a rolling upgrade, on the
 * same rows.
 */
const take = `
  CREATE FUNCTION soku_take_grants(
    now_ms bigint, keys text[], quotas bigint[], wanted boolean[], unused_minutes bigint[], unused bigint[],
    without_share text, without_share_minute bigint
  ) RETURNS TABLE (
    at_ms bigint, key_id text, minute bigint, current bigint, previous bigint, granted bigint
  ) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    time_ms bigint;
    this_minute bigint;
    left_ms bigint;
    locked bigint;
    nodes bigint;
    sharing bigint;
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
    SELECT greatest(1, count(*)), count(*) FILTER (
      WHERE extract(epoch FROM joined_at) * 1000 <= this_minute * 60000 - 20000
        AND NOT (id = coalesce(without_share, '') AND this_minute = coalesce(without_share_minute, -1))
    ) INTO nodes, sharing FROM verifier_node;
    RETURN QUERY
    WITH asked AS (
      SELECT * FROM unnest(keys, quotas, wanted, unused_minutes, unused)
        AS a (key_id, quota, wanted, unused_minute, unused)
    ), moved AS (
      SELECT a.*,
        CASE WHEN w.minute = this_minute THEN w.current WHEN w.minute > this_minute THEN w.current + w.previous
          WHEN sharing > 0 AND a.quota >= 20 * sharing THEN a.quota / 20 ELSE 0 END AS current,
        CASE this_minute - w.minute WHEN 0 THEN w.previous WHEN 1 THEN w.current ELSE 0 END AS previous
      FROM asked a JOIN rate_window w ON w.key_id = a.key_id
    ), counted AS (
      SELECT m.key_id, m.quota, m.wanted,
        least(1000000000, greatest(0, m.current - CASE WHEN m.unused_minute = this_minute THEN m.unused ELSE 0 END))
          AS current,
        greatest(0, m.previous - CASE WHEN m.unused_minute = this_minute - 1 THEN m.unused ELSE 0 END) AS previous
      FROM moved m
    ), decided AS (
      SELECT c.*, c.quota - c.current - c.previous * left_ms / 60000 AS room FROM counted c
    ), granting AS (
      SELECT d.*, CASE WHEN d.wanted AND d.room >= 1 THEN greatest(1, d.room / (2 * nodes)) ELSE 0 END AS granted
      FROM decided d
    )
    UPDATE rate_window w SET minute = this_minute, current = g.current + g.granted, previous = g.previous
    FROM granting g WHERE w.key_id = g.key_id
    RETURNING time_ms, w.key_id, w.minute, w.current, w.previous, g.granted;
  END $$`;

/** Grants, through which nodes that share a PostgreSQL enforce one limit. On SQLite there is nothing to grant. */
export const grants: Migration = {
  async up(db: Kysely<unknown>) {
    if (isPostgres(db)) await sql.raw(take).execute(db);
  },
};
