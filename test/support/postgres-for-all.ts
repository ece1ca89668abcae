// One PostgreSQL for a whole run of the tests: `node --test --test-global-setup` calls both functions, and the test
// processes, which are started in between, inherit the variable.

import { type Postgres, startPostgres } from './postgres.ts';

let server: Postgres | undefined;

export async function globalSetup(): Promise<void> {
  server = await startPostgres();
  process.env.SOKU_TEST_POSTGRES_URL = server.url();
}

export async function globalTeardown(): Promise<void> {
  await server?.stop();
}
