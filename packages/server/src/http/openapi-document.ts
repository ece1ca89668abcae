import { type ErrorCode, errorCodes, isErrorCode } from '@soku/contract/error-codes';
import { z } from 'zod';

const responseSchema = z.looseObject({ headers: z.record(z.string(), z.unknown()).optional() });
const operationSchema = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  responses: z.record(z.string(), responseSchema),
});
type Operation = z.infer<typeof operationSchema>;
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});
type Document = z.infer<typeof documentSchema>;

/** The schema of an error response, which lists its codes. */
const errorContentSchema = z.object({
  content: z.object({
    'application/json': z.object({
      schema: z.object({
        properties: z.object({
          error: z.object({
            properties: z.object({ code: z.object({ enum: z.array(z.string().refine(isErrorCode)) }) }),
          }),
        }),
      }),
    }),
  }),
});

interface Header {
  description: string;
  schema: { type: 'string' } | { type: 'integer'; minimum: 0 };
  /** Absent when a response can come without the field. */
  required?: true;
}

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;

const requestId: Record<string, Header> = {
  'X-Request-Id': { description: 'ID of the request, as in `requestId`', schema: text, required: true },
};

const limitHeaders: Record<string, Header> = {
  RateLimit: { description: 'For example `"key";r=942;t=17`', schema: text },
  'RateLimit-Policy': { description: 'For example `"key";q=1000;w=60`', schema: text },
  'X-RateLimit-Limit': { description: 'Requests per minute', schema: count },
  'X-RateLimit-Remaining': { description: 'Requests left', schema: count },
  'X-RateLimit-Reset': { description: 'Seconds until more requests are available', schema: count },
};

const identityHeaders: Record<string, Header> = {
  'X-Soku-Key-Id': { description: 'ID of the key', schema: text, required: true },
  'X-Soku-Workspace-Id': { description: 'Workspace of the key', schema: text, required: true },
  'X-Soku-Key-Name': {
    description: 'Name of the key, percent-encoded UTF-8',
    schema: text,
    required: true,
  },
  'X-Soku-Scopes': {
    // Always sent, but proxies and HTTP clients drop an empty field.
    description: 'Scopes of the key, separated by spaces; empty when it has none',
    schema: text,
  },
  'X-Soku-Environment': { description: 'live or test', schema: text, required: true },
  'X-Soku-External-Id': {
    description: 'External ID of the key, percent-encoded UTF-8; empty when it has none',
    schema: text,
  },
};

const rejectionHeaders: Record<string, Header> = {
  'X-Soku-Status': { description: 'The status of this response', schema: count },
  'X-Soku-Error': { description: 'The body of this response as ASCII JSON', schema: text },
};

/** The operation that a proxy calls; it returns in headers what the others return in the body. */
const forwardAuth = 'verifyForward';

/** The operation that does not count against the caller's own key, so only a 429 of its address has the fields. */
const withoutLimit = 'verifyKey';

/**
 * Completes the document that the framework generates from the schemas of the routes: declares the headers of each
 * response, which these schemas cannot describe, and removes the schemas that nothing refers to.
 */
export function completeDocument(generated: unknown): Document {
  const document = documentSchema.parse(generated);
  for (const operation of Object.values(document.paths).flatMap(Object.values<Operation>)) {
    for (const [status, response] of Object.entries(operation.responses)) {
      response.headers = headersOf(operation, status, codesOf(response));
    }
  }
  return withoutUnusedSchemas(document);
}

function codesOf(response: unknown): ErrorCode[] {
  const parsed = errorContentSchema.safeParse(response);
  return parsed.success
    ? parsed.data.content['application/json'].schema.properties.error.properties.code.enum
    : [];
}

function headersOf(operation: Operation, status: string, codes: ErrorCode[]): Record<string, Header> {
  const { operationId, security = [] } = operation;
  const takesKey = security.some((scheme) => 'key' in scheme);
  const limited = status === '429' || (takesKey && operationId !== withoutLimit);
  return {
    ...requestId,
    ...challengeHeader(codes),
    ...retryHeader(status, codes),
    ...(limited ? limitHeaders : {}),
    ...(operationId !== forwardAuth ? {} : codes.length > 0 ? rejectionHeaders : identityHeaders),
  };
}

function challengeHeader(codes: ErrorCode[]): Record<string, Header> {
  const challenged = codes.filter((code) => 'challenge' in errorCodes[code]);
  if (challenged.length === 0) return {};
  const header: Header = { description: 'The challenge (RFC 6750 section 3)', schema: text };
  return {
    'WWW-Authenticate': challenged.length === codes.length ? { ...header, required: true } : header,
  };
}

function retryHeader(status: string, codes: ErrorCode[]): Record<string, Header> {
  if (codes.length === 0 || !['429', '503'].includes(status)) return {};
  return {
    'Retry-After': { description: 'Seconds until a retry can succeed', schema: count, required: true },
  };
}

/** The generator lists each named schema twice, as input and as output. */
function withoutUnusedSchemas(document: Document): Document {
  const { schemas } = document.components;
  for (;;) {
    const text = JSON.stringify(document);
    const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
    if (unused.length === 0) return document;
    for (const name of unused) delete schemas[name];
  }
}
