import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sessionCookieName } from '../../packages/server/src/accounts/session-cookie.ts';
import { newId } from '../../packages/server/src/ids.ts';
import { Person, signCookie } from './person.ts';
import { runSqlOn } from './run-sql.ts';
import { owner, type TestServer } from './server.ts';

/** Lifetime of a session in the auth library, in ms: two weeks. */
const lifetime = 14 * 24 * 60 * 60 * 1000;

/**
 * Opens a new session for an account, like a sign-in, but without hashing a password, which takes a server longer than
 * most tests, and without an audit event. Tests of signing in use `signIn` of the server.
 *
 * @param address client address of the session
 */
export async function openSession(
  server: TestServer,
  { email }: { email: string } = owner,
  address = '127.0.0.1',
): Promise<Person> {
  const token = randomBytes(24).toString('base64url');
  const now = Date.now();
  const [createdAt, expiresAt] = [now, now + lifetime].map((time) => new Date(time).toISOString());
  await runSqlOn(
    server,
    `INSERT INTO session (id, token, "createdAt", "updatedAt", "expiresAt", "ipAddress", "userAgent", "userId")
     VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT id FROM "user" WHERE email = ?)) RETURNING id`,
    randomBytes(16).toString('hex'),
    createHash('sha256').update(token).digest('hex'),
    ...[createdAt ?? '', createdAt ?? '', expiresAt ?? '', address, 'node', email],
  );
  return new Person(server.url, signCookie(cookieName(server), token, secretOf(server)));
}

/** Adds an account with its own workspace, without a password and without an audit event. */
export async function addAccount(server: TestServer): Promise<{ email: string }> {
  const now = Date.now();
  const [userId, workspaceId] = [newId('usr_', now), newId('ws_', now)];
  const email = `${userId}@example.com`;
  const insert = (table: string, row: Record<string, string>) =>
    runSqlOn(
      server,
      `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${Object.keys(row).map(() => '?')}) RETURNING 1`,
      ...Object.values(row),
    );
  const [at, createdAt] = [String(now), new Date(now).toISOString()];
  await insert('"user"', {
    id: userId,
    name: 'ada',
    email,
    '"emailVerified"': '0',
    '"createdAt"': createdAt,
    '"updatedAt"': createdAt,
  });
  await insert('workspace', { id: workspaceId, name: "ada's workspace", created_at: at });
  await insert('workspace_member', {
    workspace_id: workspaceId,
    user_id: userId,
    role: 'owner',
    created_at: at,
  });
  return { email };
}

function cookieName({ env }: TestServer): string {
  return sessionCookieName(env.SOKU_PUBLIC_URL ?? `http://localhost:${env.PORT}`);
}

/** The secret that signs the server's cookies. */
export function secretOf({ env, dataDir }: TestServer): string {
  return env.SOKU_SECRET ?? readFileSync(join(dataDir, 'secret'), 'utf8').trim();
}
