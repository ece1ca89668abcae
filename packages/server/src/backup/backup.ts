import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { partialName } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { type BackupLabel, moveBackupIntoPlace, removeDatabase, writeBackup } from './backup-file.ts';
import type { Progress } from './copy.ts';
import { explainDiskError } from './disk-error.ts';
import { openSource, type Source } from './source.ts';

/**
 * Backs up either database while servers use it.
 *
 * @param file an absolute path; the file appears only once it is complete
 * @throws {StartupError} if the file already exists, or cannot be created
 */
export async function createBackup(
  config: Config,
  file: string,
  { log, progress }: { log: Logger; progress: Progress },
): Promise<BackupLabel> {
  if (existsSync(file)) {
    throw new StartupError('cannotCreate', `${file} already exists. A backup never overwrites a file.`);
  }
  if (!existsSync(dirname(file))) {
    throw new StartupError('cannotCreate', `The directory ${dirname(file)} does not exist.`);
  }
  const partial = partialName(file);
  let source: Source | undefined;
  try {
    source = await openSource(config, join(resolve(config.dataDir), 'soku.db'), log);
    const label = await writeBackup(source, partial, progress, { indexed: false });
    moveBackupIntoPlace(partial, file);
    return label;
  } catch (error) {
    throw explainDiskError(error, {
      failed: `The backup ${file} could not be written`,
      now: 'No file was created.',
    });
  } finally {
    removeDatabase(partial);
    await source?.close();
  }
}
