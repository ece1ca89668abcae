import { emailSchema, passwordSchema } from '@soku/contract/accounts';
import { defaultPrefix, isPrefix } from '@soku/key';
import { z } from 'zod';
import {
  isAddressRange,
  isOrigin,
  isPostgresUrl,
  list,
  rateLimit,
  wholeNumber,
  withHost,
} from './config-values.ts';
import { isUpstreamUrl } from './gateway/upstream-url.ts';
import { addressHeaders } from './http/client-address.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What is said of a variable: a correct value, for the line that a wrong one gets, and its meaning, for the docs. */
const notes = z.registry<{ example: string; description: string }>();

/** Each variable, in one entry: its rule, its default, and what is said of it. */
export const variables = z.object({
  HOST: z
    .string()
    .default('127.0.0.1')
    .register(notes, { example: '0.0.0.0', description: 'The address that it listens on' }),
  PORT: wholeNumber(1, 65535)
    .default(3000)
    .register(notes, { example: '3000', description: 'The port that it listens on' }),
  SOKU_DATA_DIR: z.string().default('./data').register(notes, {
    example: '/var/lib/soku',
    description:
      'Directory of the SQLite file, the generated secret, and the revocation journal `revoked-hashes`, which keeps revoked keys revoked when a backup is restored; exactly one process may have it open. With `DATABASE_URL`, too, it must be on a disk that outlives the process',
  }),
  DATABASE_URL: z
    .string()
    .transform(withHost)
    .refine(isPostgresUrl, 'is not a postgres:// address')
    .optional()
    .register(notes, {
      example: 'postgres://soku:password@db.example.com/soku',
      description:
        '`postgres://user:password@host/database`: everything is kept in PostgreSQL, and several processes may share it; without it in a SQLite file in the data directory. Another host must speak TLS with a trusted certificate, unless the address ends in `?sslmode=disable`',
    }),
  SOKU_PUBLIC_URL: z
    .string()
    .refine(isOrigin, 'is not an http(s) address without a path')
    .transform((text) => new URL(text).origin)
    .optional()
    .register(notes, {
      example: 'https://keys.example.com',
      description: 'The address in links and cookies; without it `http://localhost:PORT`',
    }),
  SOKU_SECRET: z.string().trim().min(32, 'has fewer than 32 characters').optional().register(notes, {
    example: '"$(openssl rand -base64 32)"',
    description:
      'Signs session cookies; without it a secret is generated into the data directory (mode 0600). Needed with `DATABASE_URL`, and the same for all processes',
  }),
  SOKU_KEY_PREFIX: z
    .string()
    .refine(isPrefix, 'is not a lower-case letter, then at most 18 of a-z, 0-9 and _, then _')
    .default(defaultPrefix)
    .register(notes, {
      example: 'sk_live_',
      description:
        'Prefix of new keys. Choose one of your own: secret scanners report a key with the default as one of Stripe’s, and TruffleHog sends it there ([rules for scanners](secret-scanners.md))',
    }),
  SOKU_ACCEPTED_PREFIXES: list(isPrefix, 'has an entry that is not a key prefix')
    .default([])
    .register(notes, {
      example: 'sk_old_,acme_',
      description: 'Further prefixes that existing keys may have, separated by commas',
    }),
  SOKU_OWNER_EMAIL: emailSchema.optional().register(notes, {
    example: 'ada@example.com',
    description: 'With the password: makes the first account at the first start, without the setup page',
  }),
  SOKU_OWNER_PASSWORD: passwordSchema.optional().register(notes, {
    example: '"a long sentence that only you know"',
    description: 'The password of that account',
  }),
  SOKU_MAX_ACTIVE_KEYS: wholeNumber(1, 100_000_000).default(10_000).register(notes, {
    example: '10000',
    description: 'Most active keys of a workspace; one more is refused',
  }),
  SOKU_CACHE_KEYS: wholeNumber(1, 10_000_000)
    .default(1_000_000)
    .register(notes, { example: '1000000', description: 'Most keys that verification keeps in memory' }),
  SOKU_CACHE_REFUSED_KEYS: wholeNumber(1, 10_000_000).default(100_000).register(notes, {
    example: '100000',
    description:
      'Most unknown and revoked keys that it keeps beside them, so that guessing evicts no good key',
  }),
  SOKU_KEY_RATE_LIMIT: rateLimit.default(1000).register(notes, {
    example: '1000',
    description:
      'Requests a minute of a key, unless the key or its workspace has a limit of its own; `off`: no limit',
  }),
  SOKU_ADDRESS_RATE_LIMIT: rateLimit.default(60).register(notes, {
    example: '60',
    description:
      'Requests a minute with malformed or unknown credentials from one address (of IPv6: one /64); `off`: no limit',
  }),
  SOKU_VERIFY_SCOPE: z
    .enum(['deployment', 'workspace'], 'is not deployment or workspace')
    .default('deployment')
    .register(notes, {
      example: 'workspace',
      description:
        'Whose keys `POST /v1/verify` knows: those of the `deployment`, or of the `workspace` of the asking key, where others are `unknown_key`',
    }),
  SOKU_GATEWAY_UPSTREAM: z
    .string()
    .refine(isUpstreamUrl, 'is not an http(s) address, with a path or without')
    .optional()
    .register(notes, {
      example: 'http://127.0.0.1:4000',
      description: 'Starts the gateway: requests with a good key are passed on to this address',
    }),
  SOKU_GATEWAY_PORT: wholeNumber(1, 65535)
    .default(3001)
    .register(notes, { example: '3001', description: 'The port that the gateway listens on' }),
  SOKU_GATEWAY_FORWARD_KEY: z.enum(['on', 'off'], 'is not on or off').default('off').register(notes, {
    example: 'off',
    description: 'Whether the gateway hands on the `Authorization` header, and so the key: `on` or `off`',
  }),
  SOKU_GATEWAY_PREFLIGHT: z
    .enum(['refuse', 'pass'], 'is not refuse or pass')
    .default('refuse')
    .register(notes, {
      example: 'refuse',
      description: 'What the gateway does with CORS preflights, which carry no key: `refuse` or `pass`',
    }),
  SOKU_GATEWAY_RULES: z.string().optional().register(notes, {
    example: '/etc/soku/gateway-rules.json',
    description:
      'JSON file with the scopes that a key needs for methods and paths behind the gateway ([rules](gateway.md#rules))',
  }),
  SOKU_AUDIT_RETENTION_DAYS: wholeNumber(1, 36_500).default(400).register(notes, {
    example: '400',
    description: 'Days after which events of the [audit log](audit.md) are deleted',
  }),
  SOKU_METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'has fewer than 16 characters, or one that no header can hold')
    .optional()
    .register(notes, {
      example: 'at-least-16-random-characters',
      description:
        'Whoever sends it as `Authorization: Bearer` can read `/metrics` and `/v1/nodes`. Without it only programs on the same machine can, under a loopback name or that of `SOKU_PUBLIC_URL`; a proxy on the same machine that adds no header such as `X-Forwarded-For` then opens them to its clients',
    }),
  LOG_LEVEL: z
    .enum(logLevels, `is not one of ${logLevels.join(', ')}`)
    .default('info')
    .register(notes, {
      example: 'info',
      description: `One of ${logLevels.map((level) => `\`${level}\``).join(', ')}; \`debug\` has a line for each request`,
    }),
  TRUST_PROXY: list(isAddressRange, 'has an entry that is not an address or a range')
    .default([])
    .register(notes, {
      example: '10.0.0.1,192.168.0.0/16',
      description:
        'Addresses and ranges of the proxies that name the client in the header of `TRUST_PROXY_HEADER`, separated by commas. Without it the client is whoever opens the connection, and no header is read',
    }),
  TRUST_PROXY_HEADER: z
    .enum(addressHeaders, `is not ${addressHeaders.join(' or ')}`)
    .default('x-forwarded-for')
    .register(notes, {
      example: 'x-forwarded-for',
      description:
        'The one header in which those proxies name the client: `x-forwarded-for` or `forwarded` (RFC 7239). The other one is never read, because a proxy passes it on as the client wrote it',
    }),
});

export type Variables = z.infer<typeof variables>;
export type VariableName = keyof Variables;

export const variableNames: VariableName[] = variables.keyof().options;

/** A correct value of a variable. */
export function exampleOf(name: VariableName): string {
  return notes.get(variables.shape[name])?.example ?? '';
}

/** Every variable for the documentation, which is generated from here. */
export function describeVariables(): { name: string; fallback: string; meaning: string; example: string }[] {
  const defaults: Record<string, unknown> = variables.parse({});
  return variableNames.map((name) => ({
    name,
    fallback: [defaults[name] ?? ''].flat().join(','),
    meaning: notes.get(variables.shape[name])?.description ?? '',
    example: exampleOf(name),
  }));
}
