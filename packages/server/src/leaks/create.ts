import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Tables } from '../database/schema.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { GithubKeys } from './github-keys.ts';
import { LeakService } from './service.ts';

/** @param url of GitHub's public keys; undefined: reports are not accepted */
export function createLeaks(
  url: string | undefined,
  db: Kysely<Tables>,
  propagation: Propagation,
  log: Logger,
) {
  const failed = (error: unknown) =>
    log.error({ err: error }, 'the public keys of GitHub could not be fetched; retrying with a report');
  return {
    githubKeys: url === undefined ? undefined : new GithubKeys({ url, failed }),
    leaks: new LeakService(db, propagation, Date.now),
  };
}
