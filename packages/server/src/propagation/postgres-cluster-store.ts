import type pg from 'pg';
import { z } from 'zod';
import { createPool, type RenewablePool, serverInstanceSql } from '../database/postgres-pool.ts';
import type {
  Acknowledgment,
  ClusterSnapshot,
  ClusterStore,
  FenceResult,
  Heartbeat,
  LogPosition,
  Registration,
  RegistrationHead,
} from './cluster-store.ts';

/**
 * Timeouts in ms. A statement is abandoned after less than a lease, so that one retry fits. Connecting takes several
 * round trips and may take longer: while the node has no lease, a late connection is better than none.
 */
const timeouts = { connect: 3000, response: 800 };

/**
 * Maximum number of changes in one heartbeat, and of hashes in them, which one change may exceed. The next heartbeat
 * returns the rest.
 */
const maxChanges = 1000;
const maxHashes = 10_000;

/** Number of changes to retain for nodes that lag behind. A node further behind starts over with an empty cache. */
const retainedChanges = 10_000;

/** Up to when uses are written, by the clock of the database. @param age a parameter in ms; null: unknown */
function writtenAt(age: string): string {
  return `(extract(epoch FROM clock_timestamp()) * 1000)::bigint - ${age}::bigint`;
}

const heartbeat = `
  WITH previous AS (
    SELECT acked_seq, renewal FROM verifier_node WHERE id = $1
  ), renewed AS (
    UPDATE verifier_node SET acked_seq = $2, renewal = $3,
      usage_written_at = ${writtenAt('$5')}
    WHERE id = $1 AND $3::text IS NOT NULL RETURNING id
  ), notified AS (
    SELECT pg_notify('soku_ack', json_build_object(
      'nodeId', id, 'renewal', previous.renewal, 'seq', $2::bigint, 'token', $4::text)::text)
    FROM renewed, previous WHERE previous.acked_seq <> $2
  )
  SELECT h.seq, h.token, ${serverInstanceSql} AS instance, (SELECT count(*) FROM notified) AS notified,
    CASE WHEN $3::text IS NULL THEN EXISTS (SELECT 1 FROM verifier_node WHERE id = $1)
      ELSE EXISTS (SELECT 1 FROM renewed) END AS registered,
    (SELECT coalesce(json_agg(c ORDER BY c.seq), '[]') FROM (
       SELECT seq, token, kind, subject, ARRAY(SELECT encode(hash, 'hex') FROM unnest(hashes) AS hash) AS hashes
       FROM (
         SELECT *, sum(cardinality(hashes)) OVER (ORDER BY seq) - cardinality(hashes) AS hashes_before
         FROM (SELECT * FROM key_change WHERE seq >= $2 ORDER BY seq LIMIT ${maxChanges}) some_changes
       ) counted
       WHERE hashes_before < ${maxHashes} ORDER BY seq
     ) c) AS changes,
    (SELECT coalesce(json_agg(n), '[]') FROM (
       SELECT id, name, acked_seq AS "ackedSeq", renewal FROM verifier_node ORDER BY joined_at, id
     ) n) AS nodes
  FROM change_head h`;

const knowsChange = `
  SELECT 1 FROM change_head WHERE (seq = $1 AND token = $2)
    OR EXISTS (SELECT 1 FROM key_change WHERE key_change.seq = $1 AND key_change.token = $2)
    OR seq - $1 > ${retainedChanges / 2}`;

const headSchema = z.object({ seq: z.number(), token: z.string() });

const registrationSchema = headSchema.extend({ leaseMs: z.number(), instance: z.string() });

const ackSchema = headSchema.extend({ nodeId: z.string(), renewal: z.string() });

/** Any other value fails the heartbeat: an unknown change must not count as applied. */
const hashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((digits) => Buffer.from(digits, 'hex'));

const heartbeatSchema = headSchema.extend({
  registered: z.boolean(),
  instance: z.string(),
  changes: z.array(
    headSchema.extend({
      kind: z.enum(['key', 'workspace', 'secret']),
      subject: z.string(),
      hashes: z.array(hashSchema),
    }),
  ),
  nodes: z.array(z.object({ id: z.string(), name: z.string(), ackedSeq: z.number(), renewal: z.string() })),
});

/**
 * The database operations of the protocol, each in one round trip. They have their own connections, so that a pool full
 * of slow statements costs no lease. A statement that times out is abandoned together with its connection.
 */
export class PostgresClusterStore implements ClusterStore {
  /** Number of heartbeats since the process started, for the metrics. */
  readonly heartbeatCounts = { sent: 0, failed: 0 };
  readonly #pool: RenewablePool;

  constructor(connection: pg.ClientConfig) {
    this.#pool = createPool({
      ...connection,
      max: 2,
      connectionTimeoutMillis: timeouts.connect,
      query_timeout: timeouts.response,
      statement_timeout: timeouts.response,
      application_name: 'soku node',
    });
  }

  async register({ id, name, renewal, usageAgeMs }: Registration): Promise<void> {
    const text = `INSERT INTO verifier_node (id, name, acked_seq, renewal, usage_written_at)
      VALUES ($1, $2, 0, $3, ${writtenAt('$4')})`;
    await this.#pool.query(text, [id, name, renewal, usageAgeMs ?? null]);
  }

  async readHead(): Promise<RegistrationHead> {
    const text = `SELECT seq, token, lease_ms AS "leaseMs", ${serverInstanceSql} AS instance FROM change_head`;
    const { rows } = await this.#pool.query(text);
    return registrationSchema.parse(rows[0]);
  }

  async lacks({ seq, token }: LogPosition): Promise<boolean> {
    return (await this.#pool.query(knowsChange, [seq, token])).rowCount === 0;
  }

  /** Uses new connections from now on. */
  renew(): void {
    this.#pool.renew();
  }

  async sendHeartbeat({ id, acked, renewal, usageAgeMs }: Heartbeat): Promise<ClusterSnapshot> {
    const values = [id, acked.seq, renewal ?? null, acked.token, usageAgeMs ?? null];
    this.heartbeatCounts.sent += 1;
    const { rows } = await this.#pool.query({ name: 'heartbeat', text: heartbeat, values }).catch((error) => {
      this.heartbeatCounts.failed += 1;
      throw error;
    });
    const { seq, token, ...rest } = heartbeatSchema.parse(rows[0]);
    return { head: { seq, token }, ...rest };
  }

  async fence(id: string, renewal: string): Promise<FenceResult> {
    const removed = await this.#pool.query('DELETE FROM verifier_node WHERE id = $1 AND renewal = $2', [
      id,
      renewal,
    ]);
    if (removed.rowCount === 1) return 'deleted';
    const { rowCount } = await this.#pool.query('SELECT 1 FROM verifier_node WHERE id = $1', [id]);
    return rowCount === 0 ? 'gone' : 'renewed';
  }

  async leave(id: string): Promise<void> {
    await this.#pool.query('DELETE FROM verifier_node WHERE id = $1', [id]);
  }

  /** Deletes changes that only a node too far behind would still need. */
  async prune(): Promise<void> {
    await this.#pool.query('DELETE FROM key_change WHERE seq < (SELECT seq FROM change_head) - $1', [
      retainedChanges,
    ]);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** @returns undefined when another version sent the payload */
export function parseAck(payload: string): Acknowledgment | undefined {
  try {
    return ackSchema.parse(JSON.parse(payload));
  } catch {
    return undefined;
  }
}
