import { changeWorkspaceSchema, workspaceSchema } from '@soku/contract/workspaces';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { WorkspaceService } from './service.ts';

interface Options {
  workspaces: WorkspaceService;
  callers: Callers;
  logEvent: LogEvent;
}

const tags = ['Workspace'];

/** The settings that all keys of a workspace share. */
export const workspaceRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { workspaces, callers, logEvent },
) => {
  app.route({
    method: 'GET',
    url: '/v1/workspace',
    schema: {
      operationId: 'getWorkspace',
      summary: 'Get the workspace',
      description: 'Scope: `keys:read`.',
      tags,
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      response: {
        200: workspaceSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) => workspaces.get(callers.of(request).workspaceId),
  });

  app.route({
    method: 'PATCH',
    url: '/v1/workspace',
    schema: {
      operationId: 'updateWorkspace',
      summary: 'Change the settings of the workspace',
      description: 'Requires a session of a signed-in user. No scope allows a key to make this change.',
      tags,
      security: [{ session: [] }],
      headers: workspaceHeader,
      body: changeWorkspaceSchema,
      response: {
        200: workspaceSchema,
        ...keyErrorResponses(
          'insufficient_scope',
          'not_found',
          'verification_unavailable',
          'session_required',
          'cross_origin',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const changed = await workspaces.change(callers.of(request), request.body);
      logEvent(request, 'workspace settings changed', callerIds(callers.of(request)));
      return changed;
    },
  });
};
