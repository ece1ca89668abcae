import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dashboardDir } from '../paths.ts';
import { StartupError } from '../startup-error.ts';
import { isOutsideBasePath, outsideBasePathProblem } from './base-path.ts';
import { sendProblem } from './errors.ts';
import { basePathOf } from './public-url.ts';

/** The existing pages, which match the routes of the browser's router. Other paths return a 404 page. */
const pagePaths =
  /^\/(login|setup|docs|settings(\/account|\/audit|\/(api|webhooks)(\/[^/]+)?)?|help(\/(api-key-management|rotate-a-key|authentication|protect-an-api|api-troubleshooting))?)?\/?$/;

/**
 * Serves the built dashboard: hashed files are cached permanently, the page itself is revalidated each time.
 *
 * @throws {StartupError} 70 when the dashboard was not built
 */
export async function registerPages(app: FastifyInstance, publicUrl: string): Promise<void> {
  const indexFile = join(dashboardDir, 'index.html');
  if (!existsSync(indexFile)) {
    throw new StartupError('software', 'The dashboard is not built. Start with: npm start');
  }
  const basePath = basePathOf(publicUrl);
  const page = insertBasePath(readFileSync(indexFile, 'utf8'), basePath);
  await app.register(fastifyStatic, {
    root: dashboardDir,
    index: false,
    // Each file becomes its own route at the start, so no request can name a path on disk.
    wildcard: false,
    globIgnore: ['.stamp', 'index.html', '**/*.br', '**/*.gz'],
    // The build has written compressed versions beside the files.
    preCompressed: true,
    setHeaders: (reply, path) => {
      const hashed = path.includes('/assets/');
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });

  const sendPage = (reply: FastifyReply, status: number) =>
    reply.code(status).header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page);

  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    if (isOutsideBasePath(request.url, basePath))
      return sendProblem(reply, outsideBasePathProblem(publicUrl));
    const [path = ''] = request.url.split('?', 1);
    const wantsPage = ['GET', 'HEAD'].includes(request.method) && !/^\/(v1|api)(\/|$)/.test(path);
    if (wantsPage && pagePaths.test(path)) return sendPage(reply, 200);
    if (wantsPage && request.headers.accept?.includes('text/html')) return sendPage(reply, 404);
    return sendProblem(reply, {
      code: 'not_found',
      message: `Not found. The available endpoints are listed at ${basePath}/docs.`,
    });
  });
}

/**
 * Makes the addresses of files absolute, because the same page is sent for addresses of any depth. Scripts find each
 * other by relative paths, and the dashboard derives the base path from the address of its script.
 */
function insertBasePath(page: string, basePath: string): Buffer {
  return Buffer.from(page.replace(/(?<= (?:href|src)=")\.?\//g, () => `${basePath}/`));
}
