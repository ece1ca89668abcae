import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { emailSchema, passwordSchema } from '@soku/contract/accounts';
import { nameSchema } from '@soku/contract/names';
import { containsKey } from '@soku/key';
import type { AccountService } from '../accounts/account-service.ts';
import { readConfig } from '../config.ts';
import { operatorActor } from '../events/actor.ts';
import { parseArgument, type Terminal, UsageError } from './command-line.ts';

/**
 * Runs the commands that begin with `account`.
 *
 * @param args the arguments after `account`
 * @param name the value of --name
 */
export async function accountCommand(
  args: string[],
  name: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const [action, email, ...rest] = args;
  if (rest.length > 0) throw new UsageError('Unknown command.');
  if (action === 'list' && email === undefined)
    return withAccounts(terminal, (accounts) => listAccounts(accounts, terminal));
  if (action === 'add') return addAccount(parseArgument('EMAIL', emailSchema, email ?? ''), name, terminal);
  if (action === 'reset-password')
    return resetPassword(parseArgument('EMAIL', emailSchema, email ?? ''), terminal);
  throw new UsageError('Unknown command.');
}

async function addAccount(email: string, givenName: string | undefined, terminal: Terminal): Promise<void> {
  const name = parseArgument('--name', nameSchema, givenName ?? email.split('@')[0] ?? email);
  const { keyPrefixes } = readConfig(terminal.env);
  // The name is in the audit log permanently.
  if (containsKey(name, keyPrefixes)) throw new UsageError('--name must not contain an API key.');
  await withAccounts(terminal, async (accounts) => {
    const id = await accounts.createAccount(
      { name, email, password: await readPassword(terminal) },
      operatorActor(),
    );
    terminal.console.log(`Created the account ${email} (${id}).`);
  });
}

async function resetPassword(email: string, terminal: Terminal): Promise<void> {
  await withAccounts(terminal, async (accounts) => {
    const id = await accounts.resetPassword(email, await readPassword(terminal), operatorActor());
    terminal.console.log(`Reset the password of ${email} (${id}) and ended all sessions of the account.`);
  });
}

async function listAccounts(accounts: AccountService, terminal: Terminal): Promise<void> {
  const all = await accounts.listAccounts();
  for (const { id, email, name, createdAt } of all)
    terminal.console.log(`${createdAt}  ${id}  ${email}  ${name}`);
  if (all.length === 0)
    terminal.console.log('There are no accounts yet. Create one with: npm run soku -- account add EMAIL');
}

/** Loads the auth library only after the command line was checked, because that takes longer than most commands. */
async function withAccounts(
  terminal: Terminal,
  work: (accounts: AccountService) => Promise<void>,
): Promise<void> {
  const { openAccounts } = await import('./open-accounts.ts');
  const { accounts, close } = await openAccounts(readConfig(terminal.env));
  try {
    await work(accounts);
  } finally {
    await close();
  }
}

/** Prompts for a password on a terminal without echo; otherwise reads the first line of standard input. */
async function readPassword({ stdin: input }: Terminal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const isTerminal = input.isTTY === true;
  if (isTerminal) process.stderr.write('Password: ');
  const lines = createInterface({ input, output: silent, terminal: isTerminal });
  try {
    const { value } = await lines[Symbol.asyncIterator]().next();
    return parseArgument('The password', passwordSchema, value ?? '');
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}
