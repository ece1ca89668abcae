import { hash as digest } from 'node:crypto';
import { checkImportKey, type ImportFieldProblem, type ImportKey } from '@soku/contract/imports';
import type { Environment } from '@soku/contract/key-policy';
import type { RateLimit } from '@soku/contract/rate-limits';
import { redactKeys } from '@soku/key';
import { formatStoredMetadata } from '../database/stored-metadata.ts';
import { findLargeIdentity } from '../keys/identity-size.ts';
import { containsOwnKey } from '../keys/own-key.ts';

/** A key that can be imported, as far as this can be decided without the database. */
export interface ImportedKey {
  name: string;
  /** SHA-256 of the whole key, as 64 lowercase hexadecimal digits. */
  hash: string;
  previewStart: string;
  previewEnd: string;
  scopes: readonly string[];
  /** As requested; undefined: not stated. */
  expiresAt: string | undefined;
  environment: Environment;
  /** Canonical, separated by spaces; '': all. */
  allowedAddresses: string;
  rateLimit: RateLimit | null;
  externalId: string | null;
  /** JSON; null if there is none. */
  metadata: string | null;
  /** Epoch ms. */
  createdAt: number;
}

/** A row of an import: a key, or what is wrong with it. */
export type CheckedRow =
  | { index: number; key: ImportedKey; problems?: never }
  | { index: number; key?: never; problems: ImportFieldProblem[] };

interface Deployment {
  /** Accepted prefixes of this deployment's own keys. */
  prefixes: readonly string[];
  /** Undefined: every key is live. */
  testPrefix: string | undefined;
  /** Epoch ms. */
  now: number;
}

/**
 * Checks one row.
 *
 * @param index its position in the import
 */
export function checkRow(index: number, value: unknown, deployment: Deployment): CheckedRow {
  const { key, problems } = checkImportKey(value);
  // Clients log responses, and a field may contain a key by mistake.
  if (problems !== undefined) return { index, problems: problems.map(redact) };
  const imported = toImportedKey(key, deployment.now);
  const found = [...findProblems(imported, Object.entries(key.metadata ?? {}).flat(), deployment)];
  return found.length > 0 ? { index, problems: found } : { index, key: imported };
}

function redact({ path, problem }: ImportFieldProblem): ImportFieldProblem {
  return { path: redactKeys(path), problem: redactKeys(problem) };
}

/** @param now epoch ms */
function toImportedKey(key: ImportKey, now: number): ImportedKey {
  const {
    name,
    hash,
    previewStart,
    previewEnd,
    scopes,
    environment,
    rateLimit = null,
    externalId = null,
  } = key;
  return {
    name,
    hash: Buffer.from(hash, hash.length === 64 ? 'hex' : 'base64url').toString('hex'),
    previewStart: previewStart ?? '',
    previewEnd: previewEnd ?? '',
    scopes: scopes ?? [],
    expiresAt: key.expiresAt ?? undefined,
    environment: environment ?? 'live',
    allowedAddresses: key.allowedAddresses?.join(' ') ?? '',
    rateLimit,
    externalId,
    metadata: formatStoredMetadata(key.metadata ?? null),
    createdAt: typeof key.createdAt === 'string' ? Date.parse(key.createdAt) : now,
  };
}

/** @param metadata its names and values */
function* findProblems(
  key: ImportedKey,
  metadata: readonly string[],
  { prefixes, testPrefix, now }: Deployment,
): Iterable<ImportFieldProblem> {
  const { name, externalId, environment, createdAt } = key;
  if (environment === 'test' && testPrefix === undefined)
    yield {
      path: 'environment',
      problem: 'must be live: this deployment has no test keys (SOKU_TEST_KEY_PREFIX)',
    };
  // A key in these fields would be stored and displayed permanently.
  const texts = { name: [name], externalId: externalId === null ? [] : [externalId], metadata };
  const isKey = (text: string) => containsOwnKey(text, prefixes) || hasHash(text, key.hash);
  for (const [path, values] of Object.entries(texts)) {
    if (values.some(isKey)) yield { path, problem: 'must not contain an API key' };
  }
  const large = findLargeIdentity(key, key);
  if (large !== undefined) yield large;
  if (revealsKey(key))
    yield { path: 'previewEnd', problem: 'must not reveal the whole key together with previewStart' };
  if (createdAt > now || createdAt < 0)
    yield { path: 'createdAt', problem: 'must be in the past, in 1970 or later' };
}

function hasHash(text: string, hash: string): boolean {
  return digest('sha256', text) === hash;
}

/** The two parts of a short key can overlap: abcd and cdef are abcdef. */
function revealsKey({ previewStart: start, previewEnd: end, hash }: ImportedKey): boolean {
  return Array.from({ length: end.length + 1 }, (_, overlap) => overlap).some(
    (overlap) => start.endsWith(end.slice(0, overlap)) && hasHash(start + end.slice(overlap), hash),
  );
}
