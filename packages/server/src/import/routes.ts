import { importKeysSchema, importResultSchema } from '@soku/contract/imports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type Callers, idempotencyHeader, workspaceHeader } from '../http/caller.ts';
import { type ApiProblem, sendProblem } from '../http/errors.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { ImportService } from './service.ts';

/** Maximum size of the body in bytes: 10,000 keys with long names and metadata. */
const bodyLimit = 16 * 1024 * 1024;

const importRunning: ApiProblem = {
  code: 'rate_limited',
  message: 'Another import into this workspace is running. Wait until it has finished, then try again.',
  headers: { 'retry-after': '1' },
};

/** The import of keys that another system has issued. */
export const importRoutes: FastifyPluginAsyncZod<{
  imports: ImportService;
  callers: Callers;
  logEvent: LogEvent;
}> = async (app, { imports, callers, logEvent }) => {
  const authentication = callers.require('keys:write', { recentLogin: true, key: false });
  /** The workspaces with a call whose body is in memory. */
  const running = new Set<string>();
  /** Bodies are large, so that many calls at once would use up the memory. */
  const oneAtATime = async (request: FastifyRequest, reply: FastifyReply) => {
    const { workspaceId } = callers.of(request);
    // The client disconnected during the authentication, so no further event would end this import.
    if (reply.raw.closed) return reply.hijack();
    if (running.has(workspaceId)) return sendProblem(reply, importRunning);
    running.add(workspaceId);
    reply.raw.once('close', () => running.delete(workspaceId));
    return undefined;
  };

  app.route({
    method: 'POST',
    url: '/v1/api-keys/import',
    bodyLimit,
    schema: {
      operationId: 'importKeys',
      summary: 'Import keys by their hashes',
      description:
        'Requires a session of a person who signed in recently; no scope allows a key to import. Imports all keys or, if one has a problem, none. Returns when every server knows them. A key that does not have the format of Soku is accepted only if it starts with a prefix in SOKU_IMPORTED_KEY_PREFIXES. A hash that this workspace already has is counted as unchanged, so a call can be repeated. The body can have up to 16 MiB. A hash does not show how well a key was chosen: import only keys with at least 112 random bits.',
      tags: ['API keys'],
      security: [{ session: [] }],
      headers: workspaceHeader.extend(idempotencyHeader),
      body: importKeysSchema,
      response: {
        200: importResultSchema,
        ...keyErrorResponses(
          'not_found',
          'insufficient_scope',
          'verification_unavailable',
          'session_required',
          'recent_login_required',
          'idempotency_replayed',
          'key_quota_reached',
          'cross_origin',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    },
    onRequest: [authentication.onRequest, oneAtATime],
    preHandler: authentication.preHandler,
    handler: async (request, reply) => {
      const caller = callers.of(request);
      const result = await imports.import(caller, request.body, request.headers['idempotency-key'] ?? null);
      const { imported, unchanged } = result;
      if (!request.body.dryRun && result.problems.length === 0)
        logEvent(request, 'keys imported', { ...callerIds(caller), imported, unchanged });
      return reply.header('cache-control', 'no-store').send(result);
    },
  });
};
