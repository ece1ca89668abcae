import { auditFilterSchema, auditPageSchema, listAuditSchema } from '@soku/contract/audit';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { AuditService } from './service.ts';

const tags = ['Audit log'];
const security = [{ key: [] }, { session: [] }];
const rejections = keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable');

/** A string in the OpenAPI document; the handler sends a stream. */
const exportSchema = z.unknown().meta({ type: 'string' });

/** The endpoints of the audit log. */
export const auditRoutes: FastifyPluginAsyncZod<{ audit: AuditService; callers: Callers }> = async (
  app,
  { audit, callers },
) => {
  app.route({
    method: 'GET',
    url: '/v1/audit',
    schema: {
      operationId: 'listAuditEvents',
      summary: 'List audit events, newest first',
      description:
        "Scope: `audit:read`. Returns the events of the workspace and of its members' accounts. Pagination stays stable while events are added.",
      tags,
      security,
      headers: workspaceHeader,
      querystring: listAuditSchema,
      response: { 200: auditPageSchema, ...rejections },
    },
    ...callers.require('audit:read'),
    handler: async (request) => audit.list(callers.of(request).workspaceId, request.query),
  });

  app.route({
    method: 'GET',
    url: '/v1/audit/export',
    schema: {
      operationId: 'exportAuditEvents',
      summary: 'Export audit events as JSON Lines',
      description:
        'Scope: `audit:read`. One `AuditEvent` per line, newest first. Store the export on another machine: `npm run soku -- audit verify --anchor FILE` compares the log with it.',
      tags,
      security,
      headers: workspaceHeader,
      querystring: auditFilterSchema,
      response: {
        200: { description: 'The events', content: { 'application/jsonl': { schema: exportSchema } } },
        ...rejections,
      },
    },
    // For HEAD, Fastify would read the whole log and discard it.
    exposeHeadRoute: false,
    ...callers.require('audit:read'),
    handler: async (request, reply) => {
      reply.type('application/jsonl; charset=utf-8');
      reply.header('content-disposition', 'attachment; filename="audit.jsonl"');
      reply.header('cache-control', 'no-store');
      const demand = () => callers.reauthenticate(request, 'audit:read');
      return reply.send(audit.export(callers.of(request).workspaceId, request.query, demand));
    },
  });
};
