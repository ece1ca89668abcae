import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { builtPages } from '../places.ts';
import { StartupError } from '../startup-error.ts';
import { sendProblem } from './errors.ts';

/** The pages that exist; the browser's router knows the same ones. Anything else is a 404, and says so. */
const pagePaths =
  /^\/(login|setup|docs|settings(\/account|\/audit|\/api(\/[^/]+)?)?|help(\/(api-key-management|authentication|api-troubleshooting))?)?\/?$/;

/**
 * Serves the built dashboard: hashed files for ever, the page itself fresh each time.
 *
 * @throws {StartupError} 70 when the dashboard was not built
 */
export async function registerPages(app: FastifyInstance): Promise<void> {
  const indexFile = join(builtPages, 'index.html');
  if (!existsSync(indexFile)) {
    throw new StartupError('software', 'The pages are not built. Start with: npm start');
  }
  const page = readFileSync(indexFile);
  await app.register(fastifyStatic, {
    root: builtPages,
    index: false,
    // Each file becomes a route of its own at start, so no request ever names a path on the disk.
    wildcard: false,
    globIgnore: ['.stamp', 'index.html', '**/*.br', '**/*.gz'],
    // The build has written the compressed forms beside the files.
    preCompressed: true,
    setHeaders: (reply, path) => {
      const hashed = path.includes('/assets/');
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });

  const sendPage = (reply: FastifyReply, status: number) =>
    reply.code(status).header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page);

  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const [path = ''] = request.url.split('?', 1);
    const wantsPage = ['GET', 'HEAD'].includes(request.method) && !/^\/(v1|api)(\/|$)/.test(path);
    if (wantsPage && pagePaths.test(path)) return sendPage(reply, 200);
    if (wantsPage && request.headers.accept?.includes('text/html')) return sendPage(reply, 404);
    return sendProblem(reply, {
      code: 'not_found',
      message: 'There is nothing at this path. The calls that exist are listed at /docs.',
    });
  });
}
