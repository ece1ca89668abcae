import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runCommand } from './operator/run-command.ts';

// Reuses the compile cache of the server for the modules that the command loads.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/soku-compile', import.meta.url)));

const { env, stdin } = process;
process.exitCode = await runCommand(process.argv.slice(2), { env, stdin, console });
