import assert from 'node:assert/strict';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { bearer, call, type HttpResponse, type Person } from '../support/person.ts';
import type { Random } from '../support/random.ts';
import { onPostgres, runSql } from '../support/run-sql.ts';

interface LedgerKey {
  id: string;
  apiKey: string;
  /** The progress of its revoke, as its client knows it. */
  revoke: 'none' | 'sent' | 'returned';
}

/** The responses that clients got to creations and revokes, across restarts of the server. */
export class Ledger {
  readonly #random: Random;
  readonly #keys: LedgerKey[] = [];
  /** Idempotency-Keys of creations that got no response. */
  readonly #lostCreations: string[] = [];
  #calls = 0;
  completed = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Number of calls without a response. */
  get lost(): number {
    return this.#lostCreations.length + this.#keys.filter((key) => key.revoke === 'sent').length;
  }

  /** Creates and revokes keys, one call after the other, until the connection is lost. */
  async work(person: Person): Promise<void> {
    for (;;) {
      const active = this.#keys.filter((key) => key.revoke === 'none');
      const done =
        active.length > 10 && this.#random.chance(0.5)
          ? await this.#revoke(person, this.#random.pick(active))
          : await this.#create(person);
      if (!done) return;
      this.completed += 1;
    }
  }

  async #create(person: Person): Promise<boolean> {
    const token = `call-${this.#calls++}`;
    const response = await create(person, token).catch(connectionLost);
    if (response === null) {
      this.#lostCreations.push(token);
      return false;
    }
    assert.equal(response.status, 201, response.text);
    const { apiKey, key } = createdKeySchema.parse(response.body);
    this.#keys.push({ id: key.id, apiKey, revoke: 'none' });
    return true;
  }

  async #revoke(person: Person, key: LedgerKey): Promise<boolean> {
    key.revoke = 'sent';
    const response = await person.call('POST', `/v1/api-keys/${key.id}/revoke`).catch(connectionLost);
    if (response === null) return false;
    assert.equal(response.status, 200, response.text);
    key.revoke = 'returned';
    return true;
  }

  /** Checks after a restart that the server has stored every command that returned. */
  async check(url: string, person: Person): Promise<void> {
    for (const key of this.#keys) {
      const response = await call(`${url}/v1/verify`, { headers: bearer(key.apiKey) });
      const code = response.status === 204 ? 'accepted' : errorSchema.parse(response.body).error.code;
      const allowed = { none: ['accepted'], sent: ['accepted', 'revoked_key'], returned: ['revoked_key'] }[
        key.revoke
      ];
      assert.ok(allowed.includes(code), `${key.id}, revoke ${key.revoke}: ${code}`);
      // The effect of a revoke without a response is known now, and must not change again.
      if (key.revoke === 'sent') key.revoke = code === 'accepted' ? 'none' : 'returned';
    }
    for (const token of this.#lostCreations.splice(0)) await this.#retry(person, token);
  }

  async #retry(person: Person, token: string): Promise<void> {
    const response = await create(person, token);
    if (response.status === 201) {
      const { apiKey, key } = createdKeySchema.parse(response.body);
      this.#keys.push({ id: key.id, apiKey, revoke: 'none' });
      return;
    }
    assert.equal(response.status, 409, response.text);
    const { code, details } = errorSchema.parse(response.body).error;
    assert.equal(code, 'idempotency_replayed');
    const found = await person.call('GET', `/v1/api-keys/${details?.[0]?.keyId}`);
    assert.equal(found.status, 200, found.text);
  }
}

async function create(person: Person, token: string): Promise<HttpResponse> {
  return person.call('POST', '/v1/api-keys', { name: token }, { 'idempotency-key': token });
}

/** Returns null for the errors that fetch throws without a response, and rethrows all others. */
function connectionLost(error: unknown): null {
  if (error instanceof TypeError || (error instanceof Error && error.name === 'SocketError')) return null;
  throw error;
}

/** Rows that must not exist after a crash, by query. */
const inconsistencies = {
  'a key without exactly one secret': `SELECT k.id FROM api_key k LEFT JOIN api_key_secret s ON s.key_id = k.id
    GROUP BY k.id HAVING count(s.hash) <> 1`,
  'a secret without a key': 'SELECT hash FROM api_key_secret WHERE key_id NOT IN (SELECT id FROM api_key)',
  'a revoked key whose hash is not recorded as revoked': `SELECT k.id FROM api_key k JOIN api_key_secret s ON s.key_id = k.id
    WHERE k.revoked_at IS NOT NULL AND s.hash NOT IN (SELECT hash FROM dead_hash)`,
  'a hash that is recorded as revoked, of a key that is not': `SELECT hash FROM dead_hash WHERE hash NOT IN
    (SELECT s.hash FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE k.revoked_at IS NOT NULL)`,
  'an Idempotency-Key without a key':
    'SELECT key_id FROM idempotency WHERE key_id NOT IN (SELECT id FROM api_key)',
  // Every creation by the ledger sends an Idempotency-Key.
  'a key without its Idempotency-Key':
    'SELECT id FROM api_key WHERE id NOT IN (SELECT key_id FROM idempotency)',
  'a key without exactly one creation event': `SELECT k.id FROM api_key k LEFT JOIN audit_event e
    ON e.target_id = k.id AND e.action = 'key.created' GROUP BY k.id HAVING count(e.id) <> 1`,
  'a revoked key without exactly one revoke event': `SELECT k.id FROM api_key k LEFT JOIN audit_event e
    ON e.target_id = k.id AND e.action = 'key.revoked' WHERE k.revoked_at IS NOT NULL
    GROUP BY k.id HAVING count(e.id) <> 1`,
  'an event of a creation or revoke that did not happen': `SELECT e.id FROM audit_event e LEFT JOIN api_key k ON k.id = e.target_id
    WHERE e.action IN ('key.created', 'key.revoked')
      AND (k.id IS NULL OR (e.action = 'key.revoked' AND k.revoked_at IS NULL))`,
  'a partial revocation': 'SELECT id FROM api_key WHERE (revoked_at IS NULL) <> (revoked_by IS NULL)',
};

/** Damage to the file, which only a process with SQLite writes. */
const fileDamage: Record<string, string> = onPostgres
  ? {}
  : {
      'a broken foreign key': 'PRAGMA foreign_key_check',
      'a damaged file': "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    };

/** Asserts that the database contains no partial command and no damage. */
export async function assertConsistent(dataDir: string): Promise<void> {
  for (const [name, query] of Object.entries({ ...inconsistencies, ...fileDamage })) {
    assert.deepEqual(await runSql({ dataDir }, query), [], name);
  }
}
