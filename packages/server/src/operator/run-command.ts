import { parseArgs } from 'node:util';
import { toStorageStartupError } from '../database/storage-errors.ts';
import { RequestError } from '../http/errors.ts';
import { exitCodes, StartupError } from '../startup-error.ts';
import { type Terminal, UsageError } from './command-line.ts';

const usage = `Usage: npm run soku -- <command>

Operator commands.

While the server is running:
  backup FILE                         back up all accounts and keys to FILE, which must not exist yet
  audit export FILE [--chain CHAIN]   export the audit log to FILE, which must not exist yet: all workspaces and the
                                      chain "accounts", or only CHAIN
  audit verify [--anchor FILE]        check that no audit event was edited, removed or moved; FILE is an earlier
                                      export to compare with (docs/audit.md). Exits with 1 if the check fails

Without a server:
  scan PATH... [--prefix PREFIX]... [--no-history | --since COMMIT] [--allow-incomplete] [--baseline FILE]
       [--format text|sarif|baseline]
                                      find full keys in files and in the history of Git repositories, and with - in
                                      standard input; exits with 1 if there are any (docs/scan.md)

While the server is stopped:
  restore FILE                        restore a backup to an empty data directory or PostgreSQL database
  move-to-postgres                    copy the data directory to the empty PostgreSQL database of DATABASE_URL

While the server is stopped, or at any time with DATABASE_URL and the same SOKU_SECRET as the servers:
  import FILE [--workspace ID] [--dry-run] [--format csv|json]
                                      import keys from another system by their hashes, all or none (docs/import.md)
  account add EMAIL [--name NAME]     create an account with its own workspace
  account reset-password EMAIL        set a new password for an account and end its sessions
  account list                        list all accounts

Passwords are entered at a prompt, or read as one line from standard input.
The data directory is SOKU_DATA_DIR (default ./data). With DATABASE_URL, everything except the revocation journal
is stored in PostgreSQL. More about backups: docs/operations/backup.md`;

const usageExitCode = 64;

/** The commands of each option. */
const commandsOf = {
  name: ['account add'],
  anchor: ['audit verify'],
  chain: ['audit export'],
  workspace: ['import'],
  format: ['import', 'scan'],
  'dry-run': ['import'],
  prefix: ['scan'],
  'no-history': ['scan'],
  since: ['scan'],
  'allow-incomplete': ['scan'],
  baseline: ['scan'],
};

async function dispatch(commandLine: string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(commandLine);
  const [command, ...args] = positionals;
  if (values.help || command === undefined) {
    terminal.console.log(usage);
    return 0;
  }
  for (const [option, owners] of Object.entries(commandsOf)) {
    if (option in values && owners.every((owner) => owner.split(' ')[0] !== command))
      throw new UsageError(`--${option} works only with ${owners.join(' and ')}.`);
  }
  // Each command loads only the modules that it needs.
  if (command === 'account') {
    const { accountCommand } = await import('./accounts.ts');
    await accountCommand(args, values.name, terminal);
    return 0;
  }
  if (command === 'audit') {
    const { auditCommand } = await import('./audit.ts');
    return auditCommand(args, { anchor: values.anchor, chain: values.chain }, terminal);
  }
  if (command === 'import') {
    const { importCommand } = await import('./import.ts');
    const { workspace, format } = values;
    return importCommand(args, { workspace, format, dryRun: values['dry-run'] === true }, terminal);
  }
  if (command === 'scan') {
    const { scanCommand } = await import('./scan.ts');
    const { prefix, format, since, baseline } = values;
    const history = values['no-history'] !== true;
    const allowIncomplete = values['allow-incomplete'] === true;
    return scanCommand(args, { prefix, format, history, allowIncomplete, since, baseline }, terminal);
  }
  await runBackupCommand(command, args, terminal);
  return 0;
}

async function runBackupCommand(command: string, args: string[], terminal: Terminal): Promise<void> {
  const commands = await import('./backups.ts');
  if (command === 'backup') return commands.backupCommand(args, terminal);
  if (command === 'restore') return commands.restoreCommand(args, terminal);
  if (command === 'move-to-postgres') return commands.moveCommand(args, terminal);
  throw new UsageError('Unknown command.');
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        name: { type: 'string' },
        anchor: { type: 'string' },
        chain: { type: 'string' },
        workspace: { type: 'string' },
        format: { type: 'string' },
        'dry-run': { type: 'boolean' },
        prefix: { type: 'string', multiple: true },
        'no-history': { type: 'boolean' },
        since: { type: 'string' },
        'allow-incomplete': { type: 'boolean' },
        baseline: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Runs a command to its end, and prints its errors.
 *
 * @param commandLine the arguments
 * @returns the exit code
 */
export async function runCommand(commandLine: string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(commandLine, terminal);
  } catch (thrown) {
    const error = toStorageStartupError(thrown);
    if (error instanceof UsageError) {
      terminal.console.error(`soku: ${error.message} See: npm run soku -- --help`);
      return usageExitCode;
    }
    if (!(error instanceof RequestError || error instanceof StartupError)) throw error;
    terminal.console.error(`soku: ${error.message}`);
    return error instanceof StartupError ? error.exitCode : exitCodes.data;
  }
}
