import { type DocumentNode, evaluate, parse, type ValueNode } from '@humanwhocodes/momoa';
import { isScope } from '@soku/contract/scopes';
import { z } from 'zod';
import { nodeHttp } from '../node-http.ts';
import type { Rule } from './rules.ts';
import { parseUnambiguousPath } from './unambiguous-path.ts';

/** An invalid rules file. The message continues a sentence about the file, with the line and the field. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
}

const pathSchema = z
  .string()
  .startsWith('/', 'does not begin with a slash')
  .refine((path) => !path.includes('?'), 'has a query')
  .refine(hasWholeStars, 'has a * that is not a whole segment')
  .refine((path) => parseUnambiguousPath(path) !== undefined, 'is not a plain path (docs/gateway.md)');

/** Also rejects an encoded `*` and its Unicode variants, which would otherwise become wildcards. */
function hasWholeStars(path: string): boolean {
  const stars = path.split('/').filter((segment) => segment === '*').length;
  return (parseUnambiguousPath(path) ?? []).filter((segment) => segment.includes('*')).length <= stars;
}

const ruleSchema = z
  .strictObject(
    {
      methods: z
        .array(z.enum(nodeHttp.METHODS, 'is not an HTTP method in uppercase'))
        .min(1, 'is empty: omit it for all methods')
        .optional(),
      path: pathSchema,
      scopes: z
        .array(z.string().refine(isScope, 'is not a scope'))
        .min(1, 'is empty: omit it to accept every valid key')
        .optional(),
      deny: z.boolean().optional(),
    },
    { error: ({ code }) => (code === 'unrecognized_keys' ? 'is not a field of a rule' : undefined) },
  )
  .refine(({ scopes, deny }) => scopes === undefined || deny !== true, 'has both scopes and deny')
  .transform(({ path, ...rest }): Rule => ({ ...rest, segments: parseUnambiguousPath(path) ?? [] }));

const rulesSchema = z.array(ruleSchema, 'is not a list of rules');

/**
 * Parses a rules file.
 *
 * @throws {RulesError} if it is invalid
 */
export function parseRules(text: string): Rule[] {
  const document = parseJson(text);
  const repeated = repeatedName(document.body);
  if (repeated !== undefined) throw repeated;
  const parsed = rulesSchema.safeParse(evaluate(document));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...keys].map(String);
  throw mistake(lineOf(document.body, path), path, issue?.message ?? 'is invalid');
}

function parseJson(text: string): DocumentNode {
  try {
    return parse(text.replace(/^\ufeff/, ''), { mode: 'json' });
  } catch (error) {
    const { line, message } = z.object({ line: z.number().default(1), message: z.string() }).parse(error);
    throw new RulesError(`is not valid JSON at line ${line}: ${message.replace(/ \(\d+:\d+\)$/, '')}`);
  }
}

/** Finds duplicate names, whose second value would silently replace the first. */
function repeatedName(node: ValueNode, path: readonly string[] = []): RulesError | undefined {
  if (node.type === 'Array') {
    return node.elements.map(({ value }, i) => repeatedName(value, [...path, String(i)])).find(isError);
  }
  if (node.type !== 'Object') return undefined;
  const names = new Set<string>();
  for (const member of node.members) {
    const name = nameOf(member);
    if (names.has(name)) return mistake(member.loc.start.line, [...path, name], 'is duplicated');
    names.add(name);
  }
  return node.members.map((member) => repeatedName(member.value, [...path, nameOf(member)])).find(isError);
}

/** The line of the value at a path, or of its closest existing parent. */
function lineOf(node: ValueNode, path: readonly string[]): number {
  const [step, ...rest] = path;
  const inside =
    node.type === 'Array'
      ? node.elements[Number(step)]?.value
      : node.type === 'Object'
        ? node.members.find((member) => nameOf(member) === step)?.value
        : undefined;
  return inside === undefined ? node.loc.start.line : lineOf(inside, rest);
}

function nameOf({ name }: { name: { value: string } | { name: string } }): string {
  return 'value' in name ? name.value : name.name;
}

function isError(found: RulesError | undefined): found is RulesError {
  return found !== undefined;
}

function mistake(line: number, path: readonly string[], problem: string): RulesError {
  return new RulesError(`is invalid at line ${line}: ${path.join('.') || 'the file'} ${problem}`);
}
