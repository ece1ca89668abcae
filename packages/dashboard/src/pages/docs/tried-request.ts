import { containsKey, decodePercent, explainKey } from '@soku/key';
import type { Operation } from '../../api/openapi.ts';
import { needsKey } from './curl-example.ts';
import { pathOf } from './send-request.ts';

export interface TriedRequest {
  path: string;
  apiKey: string;
  /** By field: "key", or "parameter " and its name. If there are any, the request must not be sent. */
  problems: Record<string, string>;
}

/** The request that the fields describe. A key in another field would become part of a URL, so it is a problem. */
export function readRequest(
  operation: Operation,
  fields: FormData,
  apiKey: string,
  prefix: string,
): TriedRequest {
  const problems: Record<string, string> = {};
  const keyProblem = needsKey(operation) ? problemOfKey(apiKey, prefix) : null;
  if (keyProblem !== null) problems.key = keyProblem;
  const values: Record<string, string> = {};
  for (const { name, required } of operation.parameters) {
    const value = String(fields.get(name) ?? '').trim();
    values[name] = value;
    if (required && value === '') problems[`parameter ${name}`] = 'Enter a value.';
    if (containsKey(decodePercent(value), [prefix]))
      problems[`parameter ${name}`] = 'This contains a key. Paste a key into the field "API key" only.';
  }
  return { path: pathOf(operation, values), apiKey, problems };
}

/** Only what cannot be sent in a header is a problem. Everything else is for the server to explain. */
function problemOfKey(apiKey: string, prefix: string): string | null {
  if (apiKey === '') return 'Paste a key.';
  if (/^[\x21-\x7e]+$/.test(apiKey)) return null;
  return explainKey(apiKey, [prefix])?.message ?? 'A key contains only letters, digits and _.';
}
