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
  import FILE [--workspace ID] [--dry-run] [--format csv|json]
                                      import keys of another system by their hashes, all or none (docs/import.md)
  account add EMAIL [--name NAME]     create an account with its own workspace
  account reset-password EMAIL        set a new password for an account and end its sessions
  account list                        list all accounts

Passwords are entered at a prompt, or read as one line from standard input.
The data directory is SOKU_DATA_DIR (default ./data). With DATABASE_URL, everything except the revocation journal
is stored in PostgreSQL. More about backups: docs/operations/backup.md
`;

const usageExitCode = 64;

/** The command of each option. */
const commandOf = {
  name: 'account add',
  anchor: 'audit verify',
  chain: 'audit export',
  workspace: 'import',
  format: 'import',
  'dry-run': 'import',
};

async function run(): Promise<void> {
  const { values, positionals } = readArguments();
  const [command, ...args] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(usage);
    return;
  }
  for (const [option, owner] of Object.entries(commandOf)) {
    if (option in values && owner.split(' ')[0] !== command)
      throw new UsageError(`--${option} works only with ${owner}.`);
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
  if (command === 'import') {
    const { importCommand } = await import('./operator/import.ts');
    const { workspace, format } = values;
    process.exitCode = await importCommand(args, { workspace, format, dryRun: values['dry-run'] === true });
    return;
  }
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
        workspace: { type: 'string' },
        format: { type: 'string' },
        'dry-run': { type: 'boolean' },
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
