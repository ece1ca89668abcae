/**
 * The path to open after signing in. `next` comes from the address bar and is untrusted. Only a path of this origin is
 * followed, so that the login page is not an open redirect.
 */
export function safePath(next: string | undefined): string {
  if (!next?.startsWith('/')) return '/';
  try {
    // The URL parser also resolves "//host", "/\host" and paths with tabs to another origin.
    const url = new URL(next, window.location.origin);
    if (url.origin !== window.location.origin || url.pathname.startsWith('//')) return '/';
    return url.pathname + url.search + url.hash;
  } catch {
    return '/';
  }
}
