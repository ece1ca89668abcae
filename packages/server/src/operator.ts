import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { toStorageStartupError } from './database/storage-errors.ts';
import { RequestError } from './http/errors.ts';
import { UsageError } from './operator/command-line.ts';
import { exitCodes, StartupError } from './startup-error.ts';

// Reuses the compile cache of the server for the modules that are loaded below.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/soku-compile', import.meta.url)));

const usage = `Usage: npm run soku -- <command>

Operator commands.

While the server is running:
  backup FILE                         back up all accounts and keys to FILE, which must not exist yet
  audit export FILE [--chain CHAIN]   export the audit log to FILE, which must not exist yet: all workspaces and the
                                      chain "accounts", or only CHAIN
  audit verify [--anchor FILE]        check that no audit event was edited, removed or moved; FILE is an earlier
                                      export to compare with (docs/audit.md). Exits with 1 if the check fails

While the server is stopped:
  restore FILE                        restore a backup to an empty data directory or PostgreSQL database
  move-to-postgres                    copy the data directory to the empty PostgreSQL database of DATABASE_URL

While the server is stopped, or at any time with DATABASE_URL and the same SOKU_SECRET as the servers:
  account add EMAIL [--name NAME]     create an account with its own workspace
  account reset-password EMAIL        set a new password for an account and end its sessions
  account list                        list all accounts

Passwords are entered at a prompt, or read as one line from standard input.
The data directory is SOKU_DATA_DIR (default ./data). With DATABASE_URL, everything except the revocation journal
is stored in PostgreSQL. More about backups: docs/operations/backup.md
`;

const usageExitCode = 64;

async function run(): Promise<void> {
  const { values, positionals } = readArguments();
  const [command, ...args] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(usage);
    return;
  }
  // Each command loads only the modules that it needs.
  if (command === 'account') {
    const { accountCommand } = await import('./operator/accounts.ts');
    return accountCommand(args, values.name);
  }
  if (command === 'audit') {
    const { auditCommand } = await import('./operator/audit.ts');
    process.exitCode = await auditCommand(args, { anchor: values.anchor, chain: values.chain });
    return;
  }
  if (values.chain !== undefined) throw new UsageError('--chain works only with audit export.');
  if (values.anchor !== undefined) throw new UsageError('--anchor works only with audit verify.');
  if (values.name !== undefined) throw new UsageError('--name works only with account add.');
  const commands = await import('./operator/backups.ts');
  if (command === 'backup') return commands.backupCommand(args);
  if (command === 'restore') return commands.restoreCommand(args);
  if (command === 'move-to-postgres') return commands.moveCommand(args);
  throw new UsageError('Unknown command.');
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
  const error = toStorageStartupError(thrown);
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
