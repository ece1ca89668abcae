import type { Logger } from 'pino';
import { AccountService } from '../accounts/account-service.ts';
import { createAuth } from '../accounts/auth.ts';
import { PasswordHasher } from '../accounts/password-hasher.ts';
import { readOrCreateSecret } from '../accounts/secret.ts';
import type { Config } from '../config.ts';
import { openDataDirectory } from '../database/data-directory.ts';
import { openSqlite } from '../database/sqlite.ts';
import { createLog } from '../http/logging.ts';
import { openPostgresWithoutRetry } from './open-postgres.ts';

/** Opens the database with the accounts. `close` releases everything that this function opened. */
export async function openAccounts(
  config: Config,
): Promise<{ accounts: AccountService; close: () => Promise<void> }> {
  const { databaseUrl, publicUrl } = config;
  const log = await createLog('silent', false);
  const { database, secret, close } =
    databaseUrl === undefined ? await openFile(config) : await openShared(config, databaseUrl, log);
  const passwords = new PasswordHasher();
  const auth = createAuth({ database, secret, publicUrl, trustedOrigins: [], passwords, log });
  return {
    accounts: new AccountService(auth, database.kysely, passwords),
    close: async () => {
      await passwords.close();
      await close();
    },
  };
}

/** Takes the lock of the data directory, so that no server can run at the same time. */
async function openFile({ dataDir, secret }: Config) {
  const directory = openDataDirectory(dataDir);
  await directory.settled();
  const database = await openSqlite(directory);
  const close = async () => {
    await database.close();
    directory.release();
  };
  return { database, secret: readOrCreateSecret(secret, directory.secretFile), close };
}

/** Servers may be running, because they read accounts from the database. */
async function openShared({ secret = '' }: Config, url: string, log: Logger) {
  const database = await openPostgresWithoutRetry(url, log);
  return { database, secret, close: () => database.close() };
}
