import { kyselyAdapter } from '@better-auth/kysely-adapter';
import { passwordLength } from '@soku/contract/accounts';
import { type BetterAuthOptions, betterAuth } from 'better-auth';
import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../database/open.ts';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { withHashedTokens } from './hashed-tokens.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { cookiePath, sessionCookieName } from './session-cookie.ts';

/** The header that passes the client's address to the auth library; see forward.ts. */
export const addressHeader = 'x-soku-client-address';

interface Options {
  database: Database;
  /** At least 32 characters. Signs the session cookie. */
  secret: string;
  /** SOKU_PUBLIC_URL. */
  publicUrl: string;
  trustedOrigins: string[];
  passwords: PasswordHasher;
  log: FastifyBaseLogger;
}

/**
 * The auth library, configured for email and password. Only this folder depends on the library.
 *
 * Sign-up is disabled: accounts are created by the setup page, the environment, or the operator's command.
 */
export function createAuth({ database, secret, publicUrl, trustedOrigins, passwords, log }: Options) {
  const secure = publicUrl.startsWith('https:');
  const cookieName = sessionCookieName(publicUrl);
  return betterAuth({
    appName: 'Soku',
    // The library would take the path of a URL as the whole path of its calls. Here it sees only those below ours.
    baseURL: new URL(publicUrl).origin,
    basePath: '/api/auth',
    secret,
    trustedOrigins,
    database: (options: BetterAuthOptions) =>
      withHashedTokens(kyselyAdapter(database.kysely, { type: database.kind })(options)),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
      password: {
        hash: (password) => passwords.hash(password),
        verify: async ({ password, hash }) => {
          const { matches, upgraded } = await passwords.verify(password, hash);
          if (upgraded !== undefined) await replaceHash(database, hash, upgraded);
          return matches;
        },
      },
    },
    databaseHooks: {
      session: {
        update: {
          before: async ({ expiresAt }, context) => {
            if (!(expiresAt instanceof Date)) return undefined;
            const createdAt = context?.context.session?.session.createdAt;
            // A session with an unknown start is not extended.
            if (createdAt === undefined) return false;
            return { data: { expiresAt: earlier(expiresAt, endOfSession(createdAt)) } };
          },
        },
      },
    },
    // No cookie cache: it would keep an ended session valid, and the secret alone would be enough to forge one.
    session: { expiresIn: 14 * 24 * 60 * 60, updateAge: 24 * 60 * 60, freshAge: 0 },
    verification: { storeIdentifier: 'hashed' },
    // Guessing is slowed down by password-gate.ts, before the library sees the request.
    rateLimit: { enabled: false },
    advanced: {
      ipAddress: { ipAddressHeaders: [addressHeader] },
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', secure, path: cookiePath(publicUrl) },
      // The library's other cookies, such as the one for sessions without "remember me", must not collide either.
      cookiePrefix: `${cookieName}_extra`,
      cookies: { session_token: { name: cookieName } },
      // Our own check runs first, for every route (http/origin.ts).
      disableCSRFCheck: true,
    },
    telemetry: { enabled: false },
    // The server handles and logs the library's errors: the library would write them to stderr unredacted.
    onAPIError: { throw: true },
    logger: {
      log: (level, message, ...rest) => {
        const err = [message, ...rest].find(isError);
        // The caller receives this error, and http/server.ts logs it once for all requests.
        if (!(err instanceof DatabaseUnavailable)) log[level]({ part: 'auth', err }, String(message));
      },
    },
  });
}

/** Maximum age of a session in ms, however often it is used (ASVS 5.0 7.3.2). */
const maxSessionAge = 30 * 24 * 60 * 60 * 1000;

/** The latest time at which a session ends. */
function endOfSession(createdAt: Date): Date {
  return new Date(createdAt.getTime() + maxSessionAge);
}

/** Whether a session has exceeded the maximum age. */
export function isSessionExpired({ createdAt }: { createdAt: Date }): boolean {
  return endOfSession(createdAt).getTime() <= Date.now();
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

/** Stores a hash with current parameters, unless the password has been changed since. */
async function replaceHash({ kysely }: Database, former: string, upgraded: string): Promise<void> {
  await kysely
    .updateTable('account')
    .set({ password: upgraded })
    .where('password', '=', former)
    .where('providerId', '=', 'credential')
    .execute();
}

function isError(value: unknown): value is Error {
  return value instanceof Error;
}

export type Auth = ReturnType<typeof createAuth>;
