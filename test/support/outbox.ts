import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type ParsedMail, parseMail } from './parse-mail.ts';
import type { TestServer } from './server.ts';

/** Resolves with the emails in the outbox of a server that match, once there are `count` of them. */
export async function outboxMails(
  { dataDir }: TestServer,
  matches: (mail: ParsedMail) => boolean,
  count = 1,
): Promise<ParsedMail[]> {
  const directory = join(dataDir, 'outbox');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const watcher = watch(directory);
  try {
    for (;;) {
      // Listens before it reads, so that no file appears in between.
      const changed = once(watcher, 'change');
      const files = readdirSync(directory).filter((file) => file.endsWith('.eml'));
      const found = files
        .map((file) => parseMail(readFileSync(join(directory, file), 'utf8')))
        .filter(matches);
      if (found.length >= count) return found;
      await changed;
    }
  } finally {
    watcher.close();
  }
}
