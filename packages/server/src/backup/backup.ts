import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { partialName } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { type Label, place, removeDatabase, writeBackup } from './backup-file.ts';
import type { Progress } from './copy.ts';
import { refusedByDisk } from './failure.ts';
import { openSource, type Source } from './source.ts';

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
  const partial = partialName(file);
  let source: Source | undefined;
  try {
    source = await openSource(config, join(resolve(config.dataDir), 'soku.db'), log);
    const label = await writeBackup(source, partial, progress);
    place(partial, file);
    return label;
  } catch (error) {
    throw refusedByDisk(error, {
      failed: `The backup ${file} could not be written`,
      now: 'There is no such file now.',
    });
  } finally {
    removeDatabase(partial);
    await source?.close();
  }
}
