/** Reads the form of a new key. */
import { type CreateKey, createKeySchema } from '@soku/contract/key-requests';
import { ApiError } from '../../../api/client.ts';
import { toSentence } from '../../../components/sentence.ts';
import type { FieldProblems } from '../../../components/use-submit.ts';
import { parseExpiry } from './expiry.ts';
import { parseLimit } from './limit.ts';
import { readAddresses } from './policy/AddressesField.tsx';

export type NewKeyInput =
  | { input: CreateKey; problems?: undefined }
  | { input?: undefined; problems: FieldProblems };

/** The input of the form, or its problems by field. A field that is not in the form keeps its default. */
export function readNewKey(fields: FormData): NewKeyInput {
  const text = (field: string) => String(fields.get(field) ?? '');
  const expiry = parseExpiry(text('expiry') || 'never', text('expiresAt'));
  if (expiry.problem !== undefined) return { problems: { expiresAt: expiry.problem } };
  const { limit, problem: limitProblem } = parseLimit(text('limit') || 'inherited', text('requests'));
  if (limitProblem !== undefined) return { problems: { requests: limitProblem } };
  const { addresses, problem: addressProblem } = readAddresses(text('allowedAddresses'));
  if (addressProblem !== undefined) return { problems: { allowedAddresses: addressProblem } };
  const externalId = text('externalId').trim();
  return parse({
    name: text('name'),
    expiresAt: fields.has('expiry') ? expiry.at : undefined,
    rateLimit: limit ?? undefined,
    scopes: someOf(fields.getAll('scope')),
    allowedAddresses: someOf(addresses),
    environment: fields.get('environment') ?? undefined,
    externalId: externalId === '' ? undefined : externalId,
  });
}

/** Omits what is not stated, so that the request and its defaults are easy to read in a log of the API. */
function someOf<Item>(items: Item[]): Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

function parse(key: Record<string, unknown>): NewKeyInput {
  const input = createKeySchema.safeParse(key);
  if (input.success) return { input: input.data };
  const [issue] = input.error.issues;
  return { problems: { [String(issue?.path[0] ?? 'name')]: toSentence(issue?.message ?? '') } };
}

const rejectable = /^(?:body[./])?(name|expiresAt|scopes|allowedAddresses|externalId)\b/;

/** The fields that only the server rejected. */
export function rejectedFields(error: unknown): FieldProblems {
  if (!(error instanceof ApiError) || error.code !== 'invalid_request') return {};
  for (const { path, problem } of error.details) {
    const [, field] = rejectable.exec(path) ?? [];
    if (field !== undefined) return { [field]: toSentence(problem) };
  }
  return {};
}
