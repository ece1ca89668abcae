/**
 * Where to go after signing in. `next` comes from the address bar, so anybody can write it: only a path of this
 * origin is followed, or the login page would lend its good name to another site.
 */
export function safePath(next: string | undefined): string {
  if (!next?.startsWith('/')) return '/';
  try {
    // The parser also folds "//host", "/\host" and paths with tabs in them into another origin.
    const url = new URL(next, window.location.origin);
    if (url.origin !== window.location.origin || url.pathname.startsWith('//')) return '/';
    return url.pathname + url.search + url.hash;
  } catch {
    return '/';
  }
}
