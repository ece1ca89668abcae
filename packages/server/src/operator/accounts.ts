import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { emailSchema, passwordSchema } from '@soku/contract/accounts';
import { nameSchema } from '@soku/contract/names';
import { containsKey } from '@soku/key';
import type { AccountService } from '../accounts/account-service.ts';
import { readConfig } from '../config.ts';
import { operatorActor } from '../events/actor.ts';
import { parse, UsageError } from './command-line.ts';

/**
 * The commands that begin with `account`.
 *
 * @param args what follows that word
 * @param name of the option --name
 */
export async function accountCommand(args: string[], name: string | undefined): Promise<void> {
  const [action, email, ...rest] = args;
  if (rest.length > 0) throw new UsageError('There is no such command.');
  if (action === 'list' && email === undefined) return withAccounts(listAccounts);
  if (action === 'add') return addAccount(parse('EMAIL', emailSchema, email ?? ''), name);
  if (action === 'reset-password') return resetPassword(parse('EMAIL', emailSchema, email ?? ''));
  throw new UsageError('There is no such command.');
}

async function addAccount(email: string, wish: string | undefined): Promise<void> {
  const name = parse('--name', nameSchema, wish ?? email.split('@')[0] ?? email);
  if (containsKey(name)) throw new UsageError('--name must not contain an API key.');
  await withAccounts(async (accounts) => {
    const id = await accounts.createAccount({ name, email, password: await askPassword() }, operatorActor());
    console.log(`Created the account ${email} (${id}).`);
  });
}

async function resetPassword(email: string): Promise<void> {
  await withAccounts(async (accounts) => {
    const id = await accounts.resetPassword(email, await askPassword(), operatorActor());
    console.log(`Reset the password of ${email} (${id}), and signed the account out everywhere.`);
  });
}

async function listAccounts(accounts: AccountService): Promise<void> {
  const all = await accounts.listAccounts();
  for (const { id, email, name, createdAt } of all) console.log(`${createdAt}  ${id}  ${email}  ${name}`);
  if (all.length === 0)
    console.log('There is no account yet. Make one with: npm run soku -- account add EMAIL');
}

/** The auth library is loaded once the command line is right: it takes longer than most commands. */
async function withAccounts(work: (accounts: AccountService) => Promise<void>): Promise<void> {
  const { openAccounts } = await import('./open-accounts.ts');
  const { accounts, close } = await openAccounts(readConfig(process.env));
  try {
    await work(accounts);
  } finally {
    await close();
  }
}

/** Asks on a terminal without showing what is typed; otherwise takes the first line of standard input. */
async function askPassword(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = process.stdin.isTTY === true;
  if (terminal) process.stderr.write('Password: ');
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  try {
    const { value } = await lines[Symbol.asyncIterator]().next();
    return parse('The password', passwordSchema, value ?? '');
  } finally {
    lines.close();
    if (terminal) process.stderr.write('\n');
  }
}
