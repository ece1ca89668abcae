import { createHash } from 'node:crypto';
import type { DBAdapter, Where } from 'better-auth/adapters';

/** An adapter inside a transaction. */
type Methods = Omit<DBAdapter, 'transaction'>;

/**
 * The stored form of a session token: its SHA-256, in hexadecimal. A plain hash is enough, because a token is random
 * (190 bits; ASVS 5.0 6.5.2 requires 112).
 */
function storedToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * Stores session tokens as hashes. The auth library still works with tokens: it gets back each token that it passed in
 * the same call. Rows that it finds in other ways, such as all sessions of a user, contain the hash.
 *
 * A hash is never accepted instead of a token, so a copy of the table opens no session, even with the secret that
 * signs cookies. Methods are listed one by one, so that a method added by a later version of the library is not passed
 * through unhashed.
 */
export function withHashedTokens(adapter: DBAdapter): DBAdapter {
  return {
    ...hashing(adapter),
    transaction: (run) => adapter.transaction((inner) => run(hashing(inner))),
  };
}

function hashing(adapter: Methods): Methods {
  return {
    id: adapter.id,
    ...(adapter.options === undefined ? {} : { options: adapter.options }),
    create: async (call) => {
      const tokens = new Tokens(call.model);
      return tokens.restore(await adapter.create({ ...call, data: tokens.hashData(call.data) }));
    },
    findOne: async (call) => {
      const tokens = new Tokens(call.model);
      return tokens.restore(await adapter.findOne({ ...call, where: tokens.hashWhere(call.where) }));
    },
    findMany: async <T>(call: Parameters<Methods['findMany']>[0]) => {
      const tokens = new Tokens(call.model);
      const rows = await adapter.findMany<T>({ ...call, where: tokens.hashWhere(call.where ?? []) });
      return rows.map((row) => tokens.restore(row));
    },
    count: (call) => adapter.count({ ...call, where: new Tokens(call.model).hashWhere(call.where ?? []) }),
    update: async (call) => {
      const tokens = new Tokens(call.model);
      const where = tokens.hashWhere(call.where);
      return tokens.restore(await adapter.update({ ...call, where, update: tokens.hashData(call.update) }));
    },
    updateMany: (call) => {
      const tokens = new Tokens(call.model);
      const where = tokens.hashWhere(call.where);
      return adapter.updateMany({ ...call, where, update: tokens.hashData(call.update) });
    },
    delete: (call) => adapter.delete({ ...call, where: new Tokens(call.model).hashWhere(call.where) }),
    deleteMany: (call) =>
      adapter.deleteMany({ ...call, where: new Tokens(call.model).hashWhere(call.where) }),
    consumeOne: async (call) => {
      const tokens = new Tokens(call.model);
      return tokens.restore(await adapter.consumeOne({ ...call, where: tokens.hashWhere(call.where) }));
    },
    incrementOne: async (call) => {
      const tokens = new Tokens(call.model);
      const where = tokens.hashWhere(call.where);
      const set = call.set === undefined ? {} : { set: tokens.hashData(call.set) };
      return tokens.restore(await adapter.incrementOne({ ...call, where, ...set }));
    },
  };
}

/** The session tokens of one call. */
class Tokens {
  readonly #isSession: boolean;
  /** Tokens by their hash. */
  readonly #tokens = new Map<string, string>();

  constructor(model: string) {
    this.#isSession = model === 'session';
  }

  hashData<T extends object>(data: T): T {
    if (!this.#isSession || !('token' in data)) return data;
    return { ...data, token: this.#hash(data.token) };
  }

  hashWhere(where: readonly Where[]): Where[] {
    return where.map((condition) => {
      if (!this.#isSession || condition.field !== 'token') return condition;
      const { value, operator = 'eq' } = condition;
      if (operator === 'eq') return { ...condition, value: this.#hash(value) };
      if (operator === 'in' && Array.isArray(value)) {
        return { ...condition, value: value.map((token) => this.#hash(token)) };
      }
      throw new Error(`session tokens are stored as hashes, which do not support the operator ${operator}`);
    });
  }

  restore<T>(row: T): T {
    if (!this.#isSession || typeof row !== 'object' || row === null || !('token' in row)) return row;
    const token = this.#tokens.get(String(row.token));
    return token === undefined ? row : { ...row, token };
  }

  #hash(token: unknown): string {
    if (typeof token !== 'string') throw new Error('a session token must be a string');
    const stored = storedToken(token);
    this.#tokens.set(stored, token);
    return stored;
  }
}
