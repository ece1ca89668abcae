import assert from 'node:assert/strict';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { inDatabase, onPostgres } from '../support/in-database.ts';
import { bearer, call, type HttpResponse, type Person } from '../support/person.ts';
import type { Random } from '../support/random.ts';

interface LedgerKey {
  id: string;
  apiKey: string;
  /** How far a revoke of it came, as its client knows. */
  revoke: 'none' | 'sent' | 'answered';
}

/** What a client was told about creations and revocations, over several lives of a server. */
export class Ledger {
  readonly #random: Random;
  readonly #keys: LedgerKey[] = [];
  /** Idempotency-Keys of creations whose answer never came. */
  readonly #unanswered: string[] = [];
  #calls = 0;
  answered = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get lost(): number {
    return this.#unanswered.length + this.#keys.filter((key) => key.revoke === 'sent').length;
  }

  /** Creates and revokes one after the other until the server is gone. */
  async work(person: Person): Promise<void> {
    for (;;) {
      const alive = this.#keys.filter((key) => key.revoke === 'none');
      const done =
        alive.length > 10 && this.#random.chance(0.5)
          ? await this.#revoke(person, this.#random.pick(alive))
          : await this.#create(person);
      if (!done) return;
      this.answered += 1;
    }
  }

  async #create(person: Person): Promise<boolean> {
    const token = `call-${this.#calls++}`;
    const answer = await create(person, token).catch(connectionLost);
    if (answer === null) {
      this.#unanswered.push(token);
      return false;
    }
    assert.equal(answer.status, 201, answer.text);
    const { apiKey, key } = createdKeySchema.parse(answer.body);
    this.#keys.push({ id: key.id, apiKey, revoke: 'none' });
    return true;
  }

  async #revoke(person: Person, key: LedgerKey): Promise<boolean> {
    key.revoke = 'sent';
    const answer = await person.call('POST', `/v1/api-keys/${key.id}/revoke`).catch(connectionLost);
    if (answer === null) return false;
    assert.equal(answer.status, 200, answer.text);
    key.revoke = 'answered';
    return true;
  }

  /** Asks the server, after its restart, whether it kept what it had answered. */
  async check(url: string, person: Person): Promise<void> {
    for (const key of this.#keys) {
      const answer = await call(`${url}/v1/verify`, { headers: bearer(key.apiKey) });
      const code = answer.status === 204 ? 'good' : errorSchema.parse(answer.body).error.code;
      const allowed = { none: ['good'], sent: ['good', 'revoked_key'], answered: ['revoked_key'] }[
        key.revoke
      ];
      assert.ok(allowed.includes(code), `${key.id}, revoke ${key.revoke}: ${code}`);
      // What an unanswered revoke did is known now, and has to stay so.
      if (key.revoke === 'sent') key.revoke = code === 'good' ? 'none' : 'answered';
    }
    for (const token of this.#unanswered.splice(0)) await this.#retry(person, token);
  }

  async #retry(person: Person, token: string): Promise<void> {
    const answer = await create(person, token);
    if (answer.status === 201) {
      const { apiKey, key } = createdKeySchema.parse(answer.body);
      this.#keys.push({ id: key.id, apiKey, revoke: 'none' });
      return;
    }
    assert.equal(answer.status, 409, answer.text);
    const { code, details } = errorSchema.parse(answer.body).error;
    assert.equal(code, 'idempotency_replayed');
    const found = await person.call('GET', `/v1/api-keys/${details?.[0]?.keyId}`);
    assert.equal(found.status, 200, found.text);
  }
}

async function create(person: Person, token: string): Promise<HttpResponse> {
  return person.call('POST', '/v1/api-keys', { name: token }, { 'idempotency-key': token });
}

/** fetch throws a TypeError when there is no answer; anything else is not expected. */
function connectionLost(error: unknown): null {
  if (error instanceof TypeError || (error instanceof Error && error.name === 'SocketError')) return null;
  throw error;
}

/** What must be true of the database whenever a process has died: each query gives the rows that contradict. */
const contradictions = {
  'a key without exactly one secret': `SELECT k.id FROM api_key k LEFT JOIN api_key_secret s ON s.key_id = k.id
    GROUP BY k.id HAVING count(s.hash) <> 1`,
  'a secret without a key': 'SELECT hash FROM api_key_secret WHERE key_id NOT IN (SELECT id FROM api_key)',
  'a revoked key whose hash is not dead': `SELECT k.id FROM api_key k JOIN api_key_secret s ON s.key_id = k.id
    WHERE k.revoked_at IS NOT NULL AND s.hash NOT IN (SELECT hash FROM dead_hash)`,
  'a dead hash whose key is not revoked': `SELECT hash FROM dead_hash WHERE hash NOT IN
    (SELECT s.hash FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE k.revoked_at IS NOT NULL)`,
  'an Idempotency-Key of no key':
    'SELECT key_id FROM idempotency WHERE key_id NOT IN (SELECT id FROM api_key)',
  // Every creation of the ledger sends one.
  'a key without its Idempotency-Key':
    'SELECT id FROM api_key WHERE id NOT IN (SELECT key_id FROM idempotency)',
  'a key without the event of its creation': `SELECT k.id FROM api_key k LEFT JOIN audit_event e
    ON e.target_id = k.id AND e.action = 'key.created' GROUP BY k.id HAVING count(e.id) <> 1`,
  'a revoked key without the event of its revoke, or more than one': `SELECT k.id FROM api_key k LEFT JOIN audit_event e
    ON e.target_id = k.id AND e.action = 'key.revoked' WHERE k.revoked_at IS NOT NULL
    GROUP BY k.id HAVING count(e.id) <> 1`,
  'an event of what did not happen': `SELECT e.id FROM audit_event e LEFT JOIN api_key k ON k.id = e.target_id
    WHERE e.action IN ('key.created', 'key.revoked')
      AND (k.id IS NULL OR (e.action = 'key.revoked' AND k.revoked_at IS NULL))`,
  'half a revocation': 'SELECT id FROM api_key WHERE (revoked_at IS NULL) <> (revoked_by IS NULL)',
};

/** The process that dies has the file in its hands; a server on PostgreSQL has not. */
const damage: Record<string, string> = onPostgres
  ? {}
  : {
      'a broken reference': 'PRAGMA foreign_key_check',
      damage: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    };

/** Looks into the database for anything that is half there. */
export async function assertNothingHalf(dataDir: string): Promise<void> {
  for (const [name, query] of Object.entries({ ...contradictions, ...damage })) {
    assert.deepEqual(await inDatabase({ dataDir }, query), [], name);
  }
}
