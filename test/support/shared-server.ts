import { shareAmongTestFiles } from './end-of-run.ts';
import type { TestServer } from './server.ts';
import { startWithTwoAccounts } from './two-accounts.ts';

const shared = new Map<string, () => ReturnType<typeof startWithTwoAccounts>>();

/** For files that need a proxy on this machine, receivers of webhooks on it, or thousands of keys. */
export const proxyAndWebhookEnv = {
  TRUST_PROXY: '127.0.0.1',
  SOKU_WEBHOOK_ALLOW: '127.0.0.1, hooks.internal',
  SOKU_MAX_ACTIVE_KEYS: '9000',
};

/** For files that need test keys. */
export const testKeysEnv = { SOKU_TEST_KEY_PREFIX: 'sk_test_' };

export const maxFewKeys = 150;
/** For files that reach the quota of keys. */
export const fewKeysEnv = { SOKU_MAX_ACTIVE_KEYS: String(maxFewKeys) };

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
    shareAmongTestFiles(
      () => startWithTwoAccounts(env),
      ({ stop }) => stop(),
    );
  shared.set(variables, start);
  return (await start()).server;
}
