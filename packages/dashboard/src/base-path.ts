/**
 * The path under which the proxy publishes the server, such as /soku; '' for the root of a host name. It is known only
 * when the page loads, because one build serves every deployment: this script's own address is BASE/assets/FILE.
 */
const script = import.meta.url;
export const basePath: string = new URL('..', script).pathname.replace(/\/$/, '');

/**
 * The path of a call, file or page of this server, as the browser must request it. The router adds the base path by
 * itself; test/base-path-sources.test.ts finds other paths without it.
 */
export function withBasePath(path: string): string {
  return basePath + path;
}

/** The public URL as the browser knows it, until the session has loaded. */
export function currentPublicUrl(): string {
  return window.location.origin + basePath;
}
