import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { refusedByStorage } from './database/storage-errors.ts';
import { RequestError } from './http/errors.ts';
import { UsageError } from './operator/command-line.ts';
import { exitCodes, StartupError } from './startup-error.ts';

// As for the server: what follows is loaded from the files that it compiled.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/soku-compile', import.meta.url)));

const usage = `Usage: npm run soku -- <command>

What an operator does beside the server.

While the server runs:
  backup FILE                         write all accounts and keys into FILE, which must not exist yet
  audit export FILE [--chain CHAIN]   write the audit log into FILE, which must not exist yet: all workspaces, and the
                                      chain accounts, which no workspace sees in full; or only CHAIN
  audit verify [--anchor FILE]        check that no event of the audit log was edited, removed or moved; FILE is an
                                      earlier export of it (docs/audit.md). Exits with 1 when one was

While the server is stopped:
  restore FILE                        write a backup into an empty data directory or PostgreSQL
  move-to-postgres                    copy the data directory into the empty PostgreSQL of DATABASE_URL

While the server is stopped; with DATABASE_URL also while servers run, which need the same SOKU_SECRET:
  account add EMAIL [--name NAME]     make an account with a workspace of its own
  account reset-password EMAIL        give an account another password, and end its sessions
  account list                        list the accounts

A password is asked for, or read as one line from standard input.
The data directory is that of SOKU_DATA_DIR (default ./data); with DATABASE_URL everything but the revocation
journal is in PostgreSQL. More about backups: docs/operations/backup.md
`;

const usageExitCode = 64;

async function run(): Promise<void> {
  const { values, positionals } = readArguments();
  const [command, ...args] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(usage);
    return;
  }
  // Loaded when they are wanted: a backup needs nothing of accounts, and help neither.
  if (command === 'account') {
    const { accountCommand } = await import('./operator/accounts.ts');
    return accountCommand(args, values.name);
  }
  if (command === 'audit') {
    const { auditCommand } = await import('./operator/audit.ts');
    process.exitCode = await auditCommand(args, { anchor: values.anchor, chain: values.chain });
    return;
  }
  if (values.chain !== undefined) throw new UsageError('--chain belongs to audit export.');
  if (values.anchor !== undefined) throw new UsageError('--anchor belongs to audit verify.');
  if (values.name !== undefined) throw new UsageError('--name belongs to account add.');
  const commands = await import('./operator/backups.ts');
  if (command === 'backup') return commands.backupCommand(args);
  if (command === 'restore') return commands.restoreCommand(args);
  if (command === 'move-to-postgres') return commands.moveCommand(args);
  throw new UsageError('There is no such command.');
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        name: { type: 'string' },
        anchor: { type: 'string' },
        chain: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

try {
  await run();
} catch (thrown) {
  const error = refusedByStorage(thrown);
  if (error instanceof UsageError) {
    console.error(`soku: ${error.message} See: npm run soku -- --help`);
    process.exitCode = usageExitCode;
  } else if (error instanceof RequestError) {
    console.error(`soku: ${error.message}`);
    process.exitCode = exitCodes.data;
  } else if (error instanceof StartupError) {
    console.error(`soku: ${error.message}`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
