import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import type { Auth } from './auth.ts';

export interface Workspace {
  id: string;
  name: string;
}

/** A live session: whose it is, and when the person last proved to know the password (epoch ms). */
export interface Session {
  user: { id: string; name: string; email: string };
  signedInAt: number;
}

interface NewAccount {
  name: string;
  email: string;
  password: string;
}

/** Accounts, their workspaces, and the one-time setup of the first one. */
export class AccountService {
  readonly #auth: Auth;
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;
  /** Present while there is no account: whoever knows it may make the first. Lives in memory only. */
  #setupCode: string | undefined;

  constructor(auth: Auth, db: Kysely<Tables>, now: () => number = Date.now) {
    this.#auth = auth;
    this.#db = db;
    this.#now = now;
  }

  /**
   * Readies the first start: with an owner in the environment the account is made; without, a code for the setup
   * page. With an account already there it does nothing.
   *
   * @returns the setup code, when somebody has to use it
   */
  async prepareFirstAccount(
    owner: { email: string; password: string } | undefined,
  ): Promise<string | undefined> {
    if (await this.#hasAccounts()) return undefined;
    if (owner !== undefined) {
      await this.createAccount({ ...owner, name: owner.email.split('@')[0] ?? owner.email });
      return undefined;
    }
    this.#setupCode = newSetupCode();
    return this.#setupCode;
  }

  get setupNeeded(): boolean {
    return this.#setupCode !== undefined;
  }

  /**
   * Makes the first account for whoever holds the setup code. The code then ends.
   *
   * @throws {RequestError} invalid_request when the code is wrong or was used
   */
  async setUp(code: string, account: NewAccount): Promise<void> {
    if (this.#setupCode === undefined || !sameText(code, this.#setupCode)) throw wrongSetupCode();
    // Taken before the first await, so that two calls at once cannot both use it.
    const taken = this.#setupCode;
    this.#setupCode = undefined;
    try {
      await this.createAccount(account);
    } catch (error) {
      this.#setupCode = taken;
      throw error;
    }
  }

  /**
   * Writes an account with a workspace of its own, whole or not at all.
   *
   * @throws {RequestError} invalid_request when the e-mail has an account
   */
  async createAccount({ name, email, password }: NewAccount): Promise<void> {
    const context = await this.#auth.$context;
    const hash = await context.password.hash(password);
    const now = this.#now();
    const at = new Date(now).toISOString();
    const userId = newId('usr_', now);
    const workspaceId = newId('ws_', now);
    await this.#db.transaction().execute(async (db) => {
      const taken = await db.selectFrom('user').select('id').where('email', '=', email).executeTakeFirst();
      if (taken !== undefined) throw emailTaken();
      const times = { createdAt: at, updatedAt: at };
      await db
        .insertInto('user')
        .values({ id: userId, name, email, emailVerified: 0, ...times })
        .execute();
      await db
        .insertInto('account')
        .values({
          id: newId('acc_', now),
          accountId: userId,
          providerId: 'credential',
          userId,
          password: hash,
          ...times,
        })
        .execute();
      await db
        .insertInto('workspace')
        .values({ id: workspaceId, name: `${name}'s workspace`, created_at: now })
        .execute();
      await db
        .insertInto('workspace_member')
        .values({ workspace_id: workspaceId, user_id: userId, role: 'owner', created_at: now })
        .execute();
    });
  }

  /**
   * Gives an account another password and ends all of its sessions.
   *
   * @throws {RequestError} not_found when the e-mail has no account
   */
  async resetPassword(email: string, password: string): Promise<void> {
    const context = await this.#auth.$context;
    const hash = await context.password.hash(password);
    await this.#db.transaction().execute(async (db) => {
      const user = await db.selectFrom('user').select('id').where('email', '=', email).executeTakeFirst();
      if (user === undefined) throw noAccount();
      await db
        .updateTable('account')
        .set({ password: hash, updatedAt: new Date(this.#now()).toISOString() })
        .where('userId', '=', user.id)
        .where('providerId', '=', 'credential')
        .execute();
      await db.deleteFrom('session').where('userId', '=', user.id).execute();
    });
  }

  /** Every account, oldest first. */
  async listAccounts(): Promise<{ email: string; name: string; createdAt: string }[]> {
    return this.#db.selectFrom('user').select(['email', 'name', 'createdAt']).orderBy('createdAt').execute();
  }

  /** The session of a request's cookie, or null when there is none that is alive. */
  async findSession(headers: Headers): Promise<Session | null> {
    const found = await this.#auth.api.getSession({ headers });
    if (found === null) return null;
    const { id, name, email } = found.user;
    return { user: { id, name, email }, signedInAt: found.session.createdAt.getTime() };
  }

  /** The workspaces of an account, its own one first. */
  async workspacesOf(userId: string): Promise<Workspace[]> {
    return this.#db
      .selectFrom('workspace_member')
      .innerJoin('workspace', 'workspace.id', 'workspace_member.workspace_id')
      .select(['workspace.id', 'workspace.name'])
      .where('workspace_member.user_id', '=', userId)
      .orderBy('workspace_member.created_at')
      .execute();
  }

  async findWorkspace(id: string): Promise<Workspace | undefined> {
    return this.#db.selectFrom('workspace').select(['id', 'name']).where('id', '=', id).executeTakeFirst();
  }

  async #hasAccounts(): Promise<boolean> {
    return (await this.#db.selectFrom('user').select('id').limit(1).executeTakeFirst()) !== undefined;
  }
}

/** 120 random bits in five groups, so that it survives being read out, and is not taken for a key in the log. */
function newSetupCode(): string {
  return randomBytes(15).toString('hex').match(/.{6}/g)?.join('-') ?? '';
}

/** Compares in a time that tells nothing of where two texts differ. */
function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function wrongSetupCode(): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message: 'The setup code is wrong or was used. The newest one stands in the log of the running server.',
    details: [{ path: 'code', problem: 'is wrong or was used' }],
  });
}

function emailTaken(): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message: 'An account with this e-mail address exists.',
    details: [{ path: 'email', problem: 'has an account already' }],
  });
}

function noAccount(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No account has this e-mail address.' });
}
