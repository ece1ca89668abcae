import { shareInRun } from './end-of-run.ts';
import type { TestServer } from './server.ts';
import { startWithTwoAccounts } from './two-accounts.ts';

const shared = new Map<string, () => ReturnType<typeof startWithTwoAccounts>>();

/**
 * A server with two accounts, each with its own workspace, that all test files of this process share. Use own keys and
 * sessions, and expect other keys beside them. A test that stops the server, edits rows of others, expects a new server,
 * or sends many passwords (the attempts are limited by address) starts its own.
 *
 * @param env as in startServer; files with the same variables share a server
 */
export async function sharedServer(env: Record<string, string> = {}): Promise<TestServer> {
  const variables = JSON.stringify(Object.entries(env).sort());
  const start =
    shared.get(variables) ??
    shareInRun(
      () => startWithTwoAccounts(env),
      ({ stop }) => stop(),
    );
  shared.set(variables, start);
  return (await start()).server;
}
