import type { JsonSchema, Schemas } from '../../api/openapi.ts';

export interface SchemaField {
  path: string;
  type: string;
  required: boolean;
  description: string;
}

const refPrefix = '#/components/schemas/';

export function resolveRef(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = schema.$ref?.startsWith(refPrefix) ? schema.$ref.slice(refPrefix.length) : undefined;
  return (name === undefined ? undefined : schemas[name]) ?? schema;
}

/** The fields of an object and of its nested objects, with paths such as `key.id` and `data[].id`. */
export function listFields(schema: JsonSchema, schemas: Schemas, prefix = ''): SchemaField[] {
  const object = resolveRef(schema, schemas);
  return Object.entries(object.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    const field: SchemaField = {
      path,
      type: describeType(property, schemas),
      required: object.required?.includes(name) ?? false,
      description: property.description ?? resolveRef(property, schemas).description ?? '',
    };
    return [field, ...innerFields(resolveRef(property, schemas), schemas, path)];
  });
}

function innerFields(schema: JsonSchema, schemas: Schemas, path: string): SchemaField[] {
  if (schema.properties) return listFields(schema, schemas, `${path}.`);
  if (schema.items) return listFields(schema.items, schemas, `${path}[].`);
  return (schema.anyOf ?? []).flatMap((choice) => innerFields(resolveRef(choice, schemas), schemas, path));
}

export function describeType(schema: JsonSchema, schemas: Schemas): string {
  const { anyOf, const: only, enum: values, items, type, format } = resolveRef(schema, schemas);
  if (anyOf) return anyOf.map((choice) => describeType(choice, schemas)).join(' or ');
  if (only !== undefined) return JSON.stringify(only);
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (items) return `array of ${describeType(items, schemas)}`;
  const name = Array.isArray(type) ? type.join(' or ') : (type ?? 'any');
  return format === 'date-time' ? 'date and time' : name;
}

/** Realistic example values for fields whose type alone says too little. */
const samples: Record<string, unknown> = {
  id: 'key_01jd8f3v5k2m7n9p4q6r8s0t1v',
  name: 'Production Server',
  preview: 'sk_live_abc...xyz',
  apiKey: 'sk_live_...',
  createdBy: 'usr_01jd8f3v5k2m7n9p4q6r8s0t1v',
};

export function exampleFromSchema(schema: JsonSchema, schemas: Schemas, name = ''): unknown {
  const { anyOf, properties, items, ...scalar } = resolveRef(schema, schemas);
  if (properties) return exampleObject(properties, schemas);
  if (items) return name === 'scopes' ? [] : [exampleFromSchema(items, schemas)];
  if (anyOf?.some((choice) => choice.type === 'null')) return null;
  return anyOf?.[0] ? exampleFromSchema(anyOf[0], schemas, name) : exampleScalar(scalar, name);
}

function exampleObject(properties: Record<string, JsonSchema>, schemas: Schemas): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, exampleFromSchema(property, schemas, name)]),
  );
}

function exampleScalar(
  { type, format, enum: values, const: only, default: defaultValue }: JsonSchema,
  name: string,
) {
  const given = only ?? defaultValue ?? values?.[0];
  if (given !== undefined) return given;
  if (format === 'date-time') return '2030-01-31T12:00:00.000Z';
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return 1;
  return samples[name] ?? '...';
}
