import { fileURLToPath } from 'node:url';

/**
 * Where the files are that are no code of the server. This file lies directly in `src`, as the bundle lies directly in
 * `dist`, so the relative paths are the same for both.
 */
const here = (path: string) => new URL(path, import.meta.url);

/** The dashboard as it was built. */
export const builtPages: string = fileURLToPath(here('../../dashboard/dist'));

/** The thread that hashes passwords. */
export const passwordWorker: URL = import.meta.url.endsWith('.ts')
  ? here('./accounts/password-worker.ts')
  : here('./password-worker.js');
