import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { type Label, partialName, place, removeDatabase, writeBackup } from './backup-file.ts';
import type { Progress } from './copy.ts';
import { openSource } from './source.ts';

/**
 * Makes a backup of either database while servers use it.
 *
 * @param file absolute; exists only when it is whole
 * @throws {StartupError} when it exists already, or cannot be made
 */
export async function makeBackup(
  config: Config,
  file: string,
  { log, progress }: { log: Logger; progress: Progress },
): Promise<Label> {
  if (existsSync(file)) {
    throw new StartupError('cannotCreate', `${file} exists already. A backup replaces no file.`);
  }
  if (!existsSync(dirname(file))) {
    throw new StartupError('cannotCreate', `There is no directory ${dirname(file)}.`);
  }
  const source = await openSource(config, join(resolve(config.dataDir), 'soku.db'), log);
  const partial = partialName(file);
  try {
    const label = await writeBackup(source, partial, progress);
    place(partial, file);
    return label;
  } catch (error) {
    throw cannotWrite(file, error);
  } finally {
    removeDatabase(partial);
    await source.close();
  }
}

/** ENOSPC, EACCES and the like are told in words; SQLite has codes of its own for them (13 full, 10 I/O, 14 open). */
function cannotWrite(file: string, error: unknown): unknown {
  if (error instanceof StartupError || !(error instanceof Error)) return error;
  const isSystem = 'syscall' in error;
  const isStorage = 'errcode' in error && [10, 13, 14].includes(Number(error.errcode) & 0xff);
  if (!isSystem && !isStorage) return error;
  return new StartupError(
    'cannotCreate',
    `The backup ${file} could not be written (${error.message}). There is no such file now.`,
  );
}
