import swagger from '@fastify/swagger';
import { type ErrorCode, errorCodeNames, errorCodes } from '@soku/contract/error-codes';
import { errorSchema } from '@soku/contract/errors';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { completeDocument } from './openapi-document.ts';

/** Any endpoint that takes a key can answer these. */
const credentialCodes = errorCodeNames.filter(
  (code) => errorCodes[code].status === 401 || code === 'rate_limited',
);

/** Any endpoint at all can answer these: the first when the URL is too long, for example. */
const generalCodes: ErrorCode[] = ['invalid_request', 'internal_error'];

interface ResponseSchema {
  description: string;
  content: { 'application/json': { schema: z.ZodType } };
}

/**
 * The error responses of an endpoint that takes a key, for its schema.
 *
 * @param codes those beside the ones that every such endpoint has
 */
export function keyErrorResponses(...codes: ErrorCode[]): Record<number, ResponseSchema> {
  return errorResponses(...credentialCodes, 'storage_unavailable', ...codes);
}

/**
 * The error responses of an endpoint, for its schema: one entry per status, listing its codes.
 *
 * @param codes those beside the ones that every endpoint has
 */
export function errorResponses(...codes: ErrorCode[]): Record<number, ResponseSchema> {
  const all = new Set([...generalCodes, ...codes]);
  const byStatus = Map.groupBy(all, (code) => errorCodes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, own]) => [
      status,
      {
        description: own.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('\n\n'),
        content: { 'application/json': { schema: errorOf(own) } },
      },
    ]),
  );
}

/** The envelope with its code narrowed to those that can come. */
function errorOf(codes: ErrorCode[]): z.ZodType {
  const { error } = errorSchema.shape;
  return z.object({ error: error.extend({ code: z.enum(codes) }) });
}

/** Names in the document that differ between deployments. */
interface ApiNames {
  publicUrl: string;
  /** Name of the session cookie. */
  sessionCookie: string;
  /** Of new keys. */
  keyPrefix: string;
  version: string;
}

/** Collects the schemas of the routes that are registered after it; `app.swagger()` then gives the document. */
export async function registerOpenApi(
  app: FastifyInstance,
  { publicUrl, sessionCookie, keyPrefix, version }: ApiNames,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Soku API Keys',
        version,
        description:
          'Make, list and revoke API keys, and ask whether a key is good. Every error has the same envelope; its codes are explained at /help/api-troubleshooting.',
        contact: { name: 'Help', url: `${publicUrl}/help/api-troubleshooting` },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      tags: [
        {
          name: 'API keys',
          description: 'The life of a key. For people in the dashboard, and for keys with a scope.',
        },
        { name: 'Workspace', description: 'The settings that all keys of a workspace share.' },
        { name: 'Audit log', description: 'Who did what, in a chain of hashes.' },
        { name: 'Verification', description: 'What a key itself can ask, and what a proxy asks about it.' },
        { name: 'Service', description: 'For whoever runs this deployment.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: `An API key: \`Authorization: Bearer ${keyPrefix}...\``,
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: sessionCookie,
            description: 'A dashboard session',
          },
          operator: {
            type: 'http',
            scheme: 'bearer',
            description:
              'SOKU_METRICS_TOKEN. While it is not set, programs on the same machine need no credentials',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** For the schema of an endpoint that only the operator can call: with the token when one is set. */
export const operatorSecurity = [{}, { operator: [] }];

/** GET /openapi.json. The document is made at the first call and kept: it cannot change while the process runs. */
export function openApiRoute(app: FastifyInstance): void {
  let document: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(completeDocument(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(document);
  });
}
