import { changeScopesSchema, scopeCatalogSchema } from '@soku/contract/scope-catalog';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { ScopeService } from './service.ts';

interface Options {
  scopes: ScopeService;
  callers: Callers;
  logEvent: LogEvent;
}

const tags = ['Workspace'];

/** In bytes: the longest descriptions of all scopes, in any script, as UTF-8. */
const maxBody = 256 * 1024;

/** The scopes that the keys of a workspace can hold. */
export const scopeRoutes: FastifyPluginAsyncZod<Options> = async (app, { scopes, callers, logEvent }) => {
  app.route({
    method: 'GET',
    url: '/v1/scopes',
    schema: {
      operationId: 'listScopes',
      summary: 'List the scopes that keys can hold',
      description:
        'Scope: `keys:read`. The scopes of the workspace, and the built-in ones. A key can also hold wildcards of them, such as `files:*` and `*`.',
      tags,
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      response: {
        200: scopeCatalogSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) => scopes.list(callers.of(request).workspaceId),
  });

  app.route({
    method: 'PUT',
    url: '/v1/scopes',
    bodyLimit: maxBody,
    schema: {
      operationId: 'replaceScopes',
      summary: 'Replace the scopes of the workspace',
      description:
        'Requires a session of a signed-in user. No scope allows a key to make this change. A scope that a key that is not revoked holds by name cannot be removed.',
      tags,
      security: [{ session: [] }],
      headers: workspaceHeader,
      body: changeScopesSchema,
      response: {
        200: scopeCatalogSchema,
        ...keyErrorResponses(
          'insufficient_scope',
          'not_found',
          'verification_unavailable',
          'session_required',
          'scope_in_use',
          'cross_origin',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const changed = await scopes.replace(callers.of(request), request.body.scopes);
      logEvent(request, 'scopes changed', callerIds(callers.of(request)));
      return changed;
    },
  });
};
