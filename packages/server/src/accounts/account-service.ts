import type { Action, Actor, Changes, Details } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { constantTimeEqual } from '../constant-time-equal.ts';
import { takeAdvisoryLock } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { rethrowUnavailable } from '../database/unavailable.ts';
import { type Origin, systemActor } from '../events/actor.ts';
import { appendEvent } from '../events/events.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import { StartupError } from '../startup-error.ts';
import { type AccountName, accountEvent, personActor } from './account-events.ts';
import { type Auth, isSessionExpired } from './auth.ts';
import { checkNewPassword } from './new-password.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { Sessions } from './sessions.ts';
import { createSetupCode } from './setup-code.ts';

interface WorkspaceName {
  id: string;
  name: string;
}

/** A session that has not ended: its user, and when they last entered the password (epoch ms). */
interface ActiveSession {
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
  readonly sessions: Sessions;
  readonly #auth: Auth;
  readonly #db: Kysely<Tables>;
  readonly #passwords: PasswordHasher;
  readonly #now: () => number;
  /** Authorizes the creation of the first account. Undefined once this process knows that an account exists. */
  #setupCode: string | undefined;

  constructor(auth: Auth, db: Kysely<Tables>, passwords: PasswordHasher, now: () => number = Date.now) {
    this.#auth = auth;
    this.#db = db;
    this.sessions = new Sessions(db, now);
    this.#passwords = passwords;
    this.#now = now;
  }

  /**
   * Prepares the first start: creates the owner's account from the environment or, without one, a setup code.
   * Does nothing if an account exists.
   *
   * @returns the setup code, if one is needed
   * @throws {StartupError} 78 when the owner's password is rejected
   */
  async prepareFirstAccount(
    owner: { email: string; password: string } | undefined,
  ): Promise<string | undefined> {
    if (await hasAccounts(this.#db)) return undefined;
    if (owner !== undefined) {
      // Another node that starts at the same time may create it first.
      const account = { ...owner, name: owner.email.split('@')[0] ?? owner.email };
      await this.#create(account, 'only the first', () => systemActor).catch(rethrowAsStartupError);
      return undefined;
    }
    const { secret } = await this.#auth.$context;
    this.#setupCode = await createSetupCode(this.#db, secret);
    return this.#setupCode;
  }

  /**
   * Whether no account exists yet. Reads the database: another node or an operator command may have created one.
   */
  async setupNeeded(): Promise<boolean> {
    if (this.#setupCode === undefined) return false;
    if (await hasAccounts(this.#db)) this.#setupCode = undefined;
    return this.#setupCode !== undefined;
  }

  /** @throws {RequestError} invalid_request if the code is wrong or was already used */
  async checkSetupCode(code: string): Promise<void> {
    const expected = this.#setupCode;
    if (expected === undefined || !constantTimeEqual(Buffer.from(code), Buffer.from(expected)))
      throw wrongSetupCode();
    if (!(await this.setupNeeded())) throw wrongSetupCode();
  }

  /**
   * Creates the first account for the holder of the setup code. Afterwards the code is invalid on all nodes.
   *
   * @throws {RequestError} invalid_request if the code is wrong or was already used
   */
  async setUp(code: string, account: NewAccount, origin: Origin): Promise<void> {
    await this.checkSetupCode(code);
    const id = await this.#create(account, 'only the first', (created) => personActor(created, origin));
    this.#setupCode = undefined;
    if (id === undefined) throw wrongSetupCode();
  }

  /**
   * Creates an account with its own workspace, atomically.
   *
   * @returns the id of the account
   * @throws {RequestError} invalid_request if the email address has an account, or the password is rejected
   */
  async createAccount(account: NewAccount, actor: Actor): Promise<string | undefined> {
    return this.#create(account, 'any', () => actor);
  }

  /** @returns the id of the account; undefined if it must be the first account and another one exists */
  async #create(
    { name, email, password }: NewAccount,
    which: 'any' | 'only the first',
    actorOf: (created: AccountName) => Actor,
  ): Promise<string | undefined> {
    await checkNewPassword(this.#passwords, { email, password });
    const hash = await this.#passwords.hash(password);
    const now = this.#now();
    const at = new Date(now).toISOString();
    const userId = newId('usr_', now);
    return this.#db.transaction().execute(async (db) => {
      await takeAdvisoryLock(db, 'accounts');
      if (which === 'only the first' && (await hasAccounts(db))) return undefined;
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
      await createWorkspace(db, { name: `${name}'s workspace`, userId, now });
      const created = { id: userId, name };
      await appendEvent(db, accountEvent('account.created', created, actorOf(created), now));
      return userId;
    });
  }

  /**
   * Changes the password of an account and ends all of its sessions.
   *
   * @returns the id of the account
   * @throws {RequestError} not_found if no account has the email address, invalid_request if the password is rejected
   */
  async resetPassword(email: string, password: string, actor: Actor): Promise<string> {
    await checkNewPassword(this.#passwords, { email, password });
    const hash = await this.#passwords.hash(password);
    return this.#db.transaction().execute(async (db) => {
      const user = await findByEmail(db, email);
      if (user === undefined) throw noAccount();
      const now = this.#now();
      await db
        .updateTable('account')
        .set({ password: hash, updatedAt: new Date(now).toISOString() })
        .where('userId', '=', user.id)
        .where('providerId', '=', 'credential')
        .execute();
      await db.deleteFrom('session').where('userId', '=', user.id).execute();
      await appendEvent(db, accountEvent('account.password_reset', user, actor, now));
      return user.id;
    });
  }

  /** Every account, oldest first. */
  async listAccounts(): Promise<{ id: string; email: string; name: string; createdAt: string }[]> {
    const rows = await this.#db
      .selectFrom('user')
      .select(['id', 'email', 'name', 'createdAt'])
      .orderBy('createdAt')
      .execute();
    // A string on SQLite, and a Date on PostgreSQL.
    return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt).toISOString() }));
  }

  /** The account with this email address. */
  async findAccount(email: string): Promise<AccountName | undefined> {
    return findByEmail(this.#db, email.toLowerCase());
  }

  /**
   * Appends the audit event for a change that the auth library made in its own transaction. A crash in between loses
   * the event.
   */
  async record(
    action: Action,
    account: AccountName,
    origin: Origin,
    more: { changes?: Changes; details?: Details } = {},
  ): Promise<void> {
    const actor = personActor(account, origin);
    await appendEvent(this.#db, accountEvent(action, account, actor, this.#now(), more));
  }

  /** @param token the session token, as in the cookie */
  async endSession(token: string): Promise<void> {
    const { internalAdapter } = await this.#auth.$context;
    await internalAdapter.deleteSession(token);
  }

  /** The session that the request's cookie identifies, or null if there is no valid session. */
  async findSession(headers: Headers): Promise<ActiveSession | null> {
    // Only GET /api/session extends a session, because only its response can also extend the cookie.
    const query = { disableRefresh: true };
    const found = await rethrowUnavailable(() => this.#auth.api.getSession({ headers, query }));
    if (found === null || isSessionExpired(found.session)) return null;
    const { id, name, email } = found.user;
    return { user: { id, name, email }, signedInAt: found.session.createdAt.getTime() };
  }

  /** The workspaces of an account, its own workspace first. */
  async workspacesOf(userId: string): Promise<WorkspaceName[]> {
    return this.#db
      .selectFrom('workspace_member')
      .innerJoin('workspace', 'workspace.id', 'workspace_member.workspace_id')
      .select(['workspace.id', 'workspace.name'])
      .where('workspace_member.user_id', '=', userId)
      .orderBy('workspace_member.created_at')
      .execute();
  }

  async findWorkspace(id: string): Promise<WorkspaceName | undefined> {
    return this.#db.selectFrom('workspace').select(['id', 'name']).where('id', '=', id).executeTakeFirst();
  }
}

async function findByEmail(db: Kysely<Tables>, email: string): Promise<AccountName | undefined> {
  return db.selectFrom('user').select(['id', 'name']).where('email', '=', email).executeTakeFirst();
}

async function hasAccounts(db: Kysely<Tables>): Promise<boolean> {
  return (await db.selectFrom('user').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** @param now epoch ms */
async function createWorkspace(
  db: Kysely<Tables>,
  { name, userId, now }: { name: string; userId: string; now: number },
): Promise<void> {
  const id = newId('ws_', now);
  await db.insertInto('workspace').values({ id, name, created_at: now }).execute();
  await db
    .insertInto('workspace_member')
    .values({ workspace_id: id, user_id: userId, role: 'owner', created_at: now })
    .execute();
}

/** @throws {StartupError} 78 if the owner's password was rejected; other errors are rethrown unchanged */
function rethrowAsStartupError(error: unknown): never {
  if (!(error instanceof RequestError) || error.problem.code !== 'invalid_request') throw error;
  const problem = error.problem.details?.[0]?.problem ?? 'is wrong';
  throw new StartupError('configuration', `SOKU_OWNER_PASSWORD ${problem}.`);
}

function wrongSetupCode(): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message:
      'The setup code is wrong or was already used. The log of the running server has the current code.',
    details: [{ path: 'code', problem: 'is wrong or was already used' }],
  });
}

function emailTaken(): RequestError {
  return new RequestError({
    code: 'invalid_request',
    message: 'An account with this email address already exists.',
    details: [{ path: 'email', problem: 'already has an account' }],
  });
}

function noAccount(): RequestError {
  return new RequestError({ code: 'not_found', message: 'No account has this email address.' });
}
