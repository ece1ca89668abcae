/**
 * A public URL with a path, such as https://example.com/soku. The proxy in front passes the path on unchanged, and the
 * server removes it from each request before anything else reads it. So only this file and what creates URLs know it.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { ApiProblem } from './errors.ts';
import { basePathOf } from './public-url.ts';

/** Load balancers and Prometheus ask the server itself, whatever its public URL is. */
const atRoot = /^\/(?:healthz|readyz|metrics)(?:\?|$)/;

/** Replaces the target of a request outside the base path. It is no path, so no route matches it. */
const outside = '*';

/** Removes the base path from all requests. Call this after `serveAheadOfFramework`, which replaces all listeners. */
export function removeBasePaths(server: Server, publicUrl: string): void {
  const basePath = basePathOf(publicUrl);
  // Without a base path there is no listener, which would cost each request a little.
  if (basePath === '') return;
  server.prependListener('request', (request: IncomingMessage) => {
    request.url = removeBasePath(request.url ?? '', basePath) ?? outside;
  });
}

/**
 * @param target of a request; RFC 9112 section 3.2.2 allows a client to send the whole URL
 * @returns the target without the base path; undefined if it is outside
 */
export function removeBasePath(target: string, basePath: string): string | undefined {
  if (atRoot.test(target)) return target;
  const path = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (!path.startsWith(basePath)) return undefined;
  const rest = path.slice(basePath.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}

/** Whether a request was outside the base path. */
export function isOutsideBasePath(target: string, basePath: string): boolean {
  return basePath !== '' && target === outside;
}

export function outsideBasePathProblem(publicUrl: string): ApiProblem {
  return {
    code: 'not_found',
    message: `This server only serves ${publicUrl} and what is below it. A proxy in front of it must pass the path on unchanged.`,
  };
}
