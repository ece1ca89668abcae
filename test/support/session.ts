import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sessionCookieName } from '../../packages/server/src/accounts/session-cookie.ts';
import { inDatabaseOf } from './in-database.ts';
import { Person, signedCookie } from './person.ts';
import { owner, type TestServer } from './server.ts';

/** ms after which the auth library ends a session: two weeks. */
const lifetime = 14 * 24 * 60 * 60 * 1000;

/**
 * Somebody with a new session of an account, as a sign-in leaves it. It hashes no password, which takes a server longer
 * than most tests, and writes no event: tests about signing in use `signIn` of the server.
 *
 * @param address that the session was made from
 */
export async function openSession(
  server: TestServer,
  { email }: { email: string } = owner,
  address = '127.0.0.1',
): Promise<Person> {
  const token = randomBytes(24).toString('base64url');
  const now = Date.now();
  const [made, ends] = [now, now + lifetime].map((time) => new Date(time).toISOString());
  await inDatabaseOf(
    server,
    `INSERT INTO session (id, token, "createdAt", "updatedAt", "expiresAt", "ipAddress", "userAgent", "userId")
     VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT id FROM "user" WHERE email = ?)) RETURNING id`,
    randomBytes(16).toString('hex'),
    createHash('sha256').update(token).digest('hex'),
    ...[made ?? '', made ?? '', ends ?? '', address, 'node', email],
  );
  return new Person(server.url, signedCookie(cookieName(server), token, secretOf(server)));
}

function cookieName({ env }: TestServer): string {
  return sessionCookieName(env.SOKU_PUBLIC_URL ?? `http://localhost:${env.PORT}`);
}

/** What the server signs cookies with. */
function secretOf({ env, dataDir }: TestServer): string {
  return env.SOKU_SECRET ?? readFileSync(join(dataDir, 'secret'), 'utf8').trim();
}
