import { withBasePath } from '../base-path.ts';

/**
 * The path to open after signing in. `next` is a path below the base path. It comes from the address bar and is
 * untrusted: only a path of this origin is followed, so that the login page is not an open redirect.
 */
export function safePath(next: string | undefined): string {
  const home = withBasePath('/');
  if (!next?.startsWith('/')) return home;
  try {
    // The URL parser also resolves "//host", "/\host" and paths with tabs to another origin.
    const url = new URL(next, window.location.origin);
    if (url.origin !== window.location.origin || url.pathname.startsWith('//')) return home;
    return withBasePath(url.pathname + url.search + url.hash);
  } catch {
    return home;
  }
}
