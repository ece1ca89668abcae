import { jsonSchemaOf, type Operation, type Schemas } from '../../api/openapi.ts';
import { environmentVariable } from '../../components/snippets.ts';
import { exampleFromSchema, resolveRef } from './schema-fields.ts';

/** A call that succeeds if the key has the required scope. Its body contains only the required fields. */
export function curlExample(operation: Operation, origin: string, schemas: Schemas): string {
  const lines = [`curl ${method(operation)}${origin}${operation.path.replace('{id}', 'key_...')}`];
  if (needsKey(operation)) lines.push(`-H "Authorization: Bearer $${environmentVariable}"`);
  const body = exampleBody(operation, schemas);
  if (body !== undefined) lines.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(body)}'`);
  return lines.join(' \\\n  ');
}

function method({ method: name, requestBody }: Operation): string {
  return name === 'GET' || (name === 'POST' && requestBody) ? '' : `-X ${name} `;
}

export function needsKey(operation: Operation): boolean {
  return operation.security.some((choice) => 'key' in choice);
}

function exampleBody(operation: Operation, schemas: Schemas): Record<string, unknown> | undefined {
  const schema = jsonSchemaOf(operation.requestBody);
  if (schema === undefined) return undefined;
  const { properties = {}, required = [] } = resolveRef(schema, schemas);
  const entries = Object.entries(properties).filter(([name]) => required.includes(name));
  return Object.fromEntries(
    entries.map(([name, property]) => [name, exampleFromSchema(property, schemas, name)]),
  );
}
