import { rmSync } from 'node:fs';
import { fillDataDir, newDataDir, runOperator, startServer, type TestServer } from './server.ts';

export const ada = { email: 'ada@example.com', password: 'correct horse battery' };
export const bob = { email: 'bob@example.com', password: 'staple of another sort' };

/** A server with two accounts, each with its own workspace. The caller must call `stop`. */
export async function startWithTwoAccounts(
  env: Record<string, string> = {},
): Promise<{ server: TestServer; stop(): Promise<void> }> {
  const dataDir = newDataDir();
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  try {
    if (!(await fillDataDir(dataDir, { accounts: 'two' }))) await addTwoAccounts(dataDir);
    const server = await startServer({ dataDir, env });
    const stop = async () => {
      await server.stop();
      remove();
    };
    return { server, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Adds both accounts to an empty data directory. */
export async function addTwoAccounts(dataDir: string): Promise<void> {
  for (const { email, password } of [ada, bob]) {
    const { code, output } = await runOperator(['account', 'add', email], {
      dataDir,
      input: `${password}\n`,
    });
    if (code !== 0) throw new Error(`adding ${email} ended with ${code}: ${output}`);
  }
}
