import swagger from '@fastify/swagger';
import { type ErrorCode, errorCodeNames, errorCodes } from '@soku/contract/error-codes';
import { errorSchema } from '@soku/contract/errors';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { completeDocument } from './openapi-document.ts';
import { basePathOf } from './public-url.ts';

const restrictionCodes: readonly ErrorCode[] = [
  'rate_limited',
  'disabled_key',
  'ip_not_allowed',
  'wrong_environment',
];

/** Codes that any endpoint with a key can return. */
const credentialCodes = errorCodeNames.filter(
  (code) => errorCodes[code].status === 401 || restrictionCodes.includes(code),
);

/** Codes that every endpoint can return: the first, for example, when the URL is too long. */
const generalCodes: ErrorCode[] = ['invalid_request', 'internal_error'];

interface ResponseSchema {
  description: string;
  content: { 'application/json': { schema: z.ZodType } };
}

/**
 * The error responses of an endpoint that takes a key, for its schema.
 *
 * @param codes in addition to those of every such endpoint
 */
export function keyErrorResponses(...codes: ErrorCode[]): Record<number, ResponseSchema> {
  return errorResponses(...credentialCodes, 'storage_unavailable', ...codes);
}

/**
 * The error responses of an endpoint, for its schema: one entry per status, listing its codes.
 *
 * @param codes in addition to those of every endpoint
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

/** The envelope with its code narrowed to the possible ones. */
function errorOf(codes: ErrorCode[]): z.ZodType {
  const { error } = errorSchema.shape;
  return z.object({ error: error.extend({ code: z.enum(codes) }) });
}

/** Names in the document that depend on the deployment. */
interface ApiNames {
  publicUrl: string;
  /** Name of the session cookie. */
  sessionCookie: string;
  /** Prefix of new keys. */
  keyPrefix: string;
  version: string;
}

/** Collects the schemas of routes that are registered afterwards; `app.swagger()` then returns the document. */
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
        description: `Create, list, verify and revoke API keys. All errors use the same envelope. The error codes are explained at ${basePathOf(publicUrl)}/help/api-troubleshooting.`,
        contact: { name: 'Help', url: `${publicUrl}/help/api-troubleshooting` },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      tags: [
        {
          name: 'API keys',
          description: 'Manage keys, with a session or with a key that has the required scope.',
        },
        { name: 'Workspace', description: 'Settings shared by all keys of a workspace, and its usage.' },
        { name: 'Webhooks', description: 'Send the events of a workspace to URLs.' },
        { name: 'Audit log', description: 'Who changed what, in a chain of hashes.' },
        {
          name: 'Verification',
          description: 'Verify keys from a proxy, from a back end, or with the key itself.',
        },
        { name: 'Service', description: 'Health, metrics and servers, for operators.' },
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
              'The value of SOKU_METRICS_TOKEN. If it is not set, programs on the same machine need no credentials',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** Security of endpoints for operators: the token, if one is set. */
export const operatorSecurity = [{}, { operator: [] }];

/** GET /openapi.json. The document is created at the first call and cached, because it cannot change at run time. */
export function registerOpenApiRoute(app: FastifyInstance): void {
  let document: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(completeDocument(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(document);
  });
}
