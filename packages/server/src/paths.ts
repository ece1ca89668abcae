import { fileURLToPath } from 'node:url';

/**
 * Locations of files that are not part of the server's code. This file is directly in `src`, like the bundle directly
 * in `dist`, so the same relative paths work for both.
 */
const here = (path: string) => new URL(path, import.meta.url);

/** Directory of the built dashboard. */
export const dashboardDir: string = fileURLToPath(here('../../dashboard/dist'));

/** Entry file of the thread that hashes passwords. */
export const passwordWorkerUrl: URL = import.meta.url.endsWith('.ts')
  ? here('./accounts/password-worker.ts')
  : here('./password-worker.js');
