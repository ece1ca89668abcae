/** The subset of OpenAPI 3.1 that the server generates and the reference page shows. */
import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { callApi } from './client.ts';

export interface JsonSchema {
  $ref?: string | undefined;
  type?: string | string[] | undefined;
  format?: string | undefined;
  description?: string | undefined;
  enum?: unknown[] | undefined;
  const?: unknown;
  default?: unknown;
  properties?: Record<string, JsonSchema> | undefined;
  required?: string[] | undefined;
  items?: JsonSchema | undefined;
  anyOf?: JsonSchema[] | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
}

const schemaSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    description: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    default: z.unknown().optional(),
    properties: z.record(z.string(), schemaSchema).optional(),
    required: z.array(z.string()).optional(),
    items: schemaSchema.optional(),
    anyOf: z.array(schemaSchema).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema.optional() })).optional();

const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  description: z.string().default(''),
  schema: schemaSchema.optional(),
});
export type Parameter = z.infer<typeof parameterSchema>;

const responseSchema = z.object({ description: z.string().default(''), content: contentSchema });
export type ApiResponse = z.infer<typeof responseSchema>;

const operationSchema = z.object({
  operationId: z.string().optional(),
  summary: z.string().default(''),
  description: z.string().default(''),
  tags: z.array(z.string()).default([]),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z.object({ content: contentSchema }).optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  responses: z.record(z.string(), responseSchema).default({}),
});

const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string().default('') }),
  servers: z.array(z.object({ url: z.string() })).default([]),
  tags: z.array(z.object({ name: z.string(), description: z.string().default('') })).default([]),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), schemaSchema).default({}) }),
});
export type ApiDocument = z.infer<typeof documentSchema>;
export type Schemas = ApiDocument['components']['schemas'];

export type Operation = z.infer<typeof operationSchema> & { id: string; method: string; path: string };

export const openApiOptions = queryOptions({
  queryKey: ['openapi'],
  queryFn: ({ signal }) => callApi('/openapi.json', { schema: documentSchema, signal }),
  // It changes only with the version of the server.
  staleTime: Number.POSITIVE_INFINITY,
});

export interface OperationGroup {
  name: string;
  description: string;
  operations: Operation[];
}

export function operationsByTag(document: ApiDocument): OperationGroup[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Operation => ({
        ...operation,
        id: operation.operationId ?? `${method}${path.replaceAll(/\W+/g, '-')}`,
        method: method.toUpperCase(),
        path,
      }),
    ),
  );
  const named = document.tags.map((tag) => ({
    ...tag,
    operations: all.filter((operation) => operation.tags[0] === tag.name),
  }));
  const rest = all.filter((operation) => !document.tags.some((tag) => tag.name === operation.tags[0]));
  return [...named, { name: 'Other', description: '', operations: rest }].filter(
    (group) => group.operations.length > 0,
  );
}

export function jsonSchemaOf(part: { content?: ApiResponse['content'] } | undefined): JsonSchema | undefined {
  return part?.content?.['application/json']?.schema;
}
