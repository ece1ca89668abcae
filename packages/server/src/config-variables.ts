import { emailSchema, passwordSchema } from '@soku/contract/accounts';
import { defaultPrefix, isPrefix } from '@soku/key';
import { z } from 'zod';
import {
  addMissingHost,
  hasSingleHost,
  integerSchema,
  isAddressRange,
  isImportedPrefix,
  isKeyListUrl,
  isPostgresUrl,
  isRangeOrHost,
  listSchema,
  parsedSchema,
  publicUrlSchema,
  rateLimitVariableSchema,
} from './config-values.ts';
import { isUpstreamUrl } from './gateway/upstream-url.ts';
import { addressHeaders } from './http/client-address.ts';
import { parseSender } from './mail/sender.ts';
import { parseSmtpUrl } from './mail/smtp-url.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Metadata of a variable: an example, for the error message, and a description, for the documentation. */
const notes = z.registry<{ example: string; description: string }>();

/** The environment variables, each with its rule, default, example and description. */
export const variablesSchema = z.object({
  HOST: z
    .string()
    .default('127.0.0.1')
    .register(notes, { example: '0.0.0.0', description: 'Address to listen on' }),
  PORT: integerSchema(1, 65535)
    .default(3000)
    .register(notes, { example: '3000', description: 'Port to listen on' }),
  SOKU_DATA_DIR: z.string().default('./data').register(notes, {
    example: '/var/lib/soku',
    description:
      'Directory of the SQLite file, the generated secret, and the revocation journal `revoked-hashes`, which keeps revoked keys revoked after a backup is restored. Only one process may use it. It must be on a persistent disk, even with `DATABASE_URL`',
  }),
  DATABASE_URL: z
    .string()
    .refine(hasSingleHost, 'must name one host, whose name or address moves to the new primary at a failover')
    .transform(addMissingHost)
    .refine(isPostgresUrl, 'must be a postgres:// URL')
    .optional()
    .register(notes, {
      example: 'postgres://soku:password@db.example.com/soku',
      description:
        '`postgres://user:password@host/database`. Stores all data in PostgreSQL, which several processes may share. Without it, data is in a SQLite file in the data directory. A remote host must use TLS with a trusted certificate, unless the URL ends in `?sslmode=disable`',
    }),
  SOKU_PUBLIC_URL: publicUrlSchema.optional().register(notes, {
    example: 'https://keys.example.com',
    description:
      'Public URL for links and cookies. Without it: `http://localhost:PORT`. It may have a [path](operations/deploy.md#under-a-path), such as `https://example.com/soku`: the proxy must then pass the path on unchanged',
  }),
  SOKU_SECRET: z.string().trim().min(32, 'must have at least 32 characters').optional().register(notes, {
    example: '"$(openssl rand -base64 32)"',
    description:
      'Secret that signs session cookies and encrypts the signing secrets of [webhooks](webhooks.md). Without it, one is generated in the data directory (mode 0600). Required with `DATABASE_URL`, with the same value for all processes. If it changes, everyone has to sign in again, and webhooks send nothing until their signing secrets are rotated',
  }),
  SOKU_KEY_PREFIX: z
    .string()
    .refine(isPrefix, 'must be a lowercase letter, up to 18 of a-z, 0-9 and _, and a final _')
    .default(defaultPrefix)
    .register(notes, {
      example: 'sk_live_',
      description:
        'Prefix of new keys. Choose your own: secret scanners report keys with the default prefix as Stripe keys, and TruffleHog sends them to Stripe ([rules for scanners](secret-scanners.md))',
    }),
  SOKU_ACCEPTED_PREFIXES: listSchema(isPrefix, 'contains an entry that is not a key prefix')
    .default([])
    .register(notes, {
      example: 'sk_old_,acme_',
      description: 'Additional prefixes of existing keys, separated by commas',
    }),
  SOKU_TEST_KEY_PREFIX: z
    .string()
    .refine(isPrefix, 'must be a lowercase letter, up to 18 of a-z, 0-9 and _, and a final _')
    .optional()
    .register(notes, {
      example: 'sk_test_',
      description:
        'Prefix of test keys. Without it, every key is live. Test keys are rejected unless `SOKU_VERIFY_ENVIRONMENT` says otherwise',
    }),
  SOKU_VERIFY_ENVIRONMENT: z
    .enum(['live', 'test', 'any'], 'must be live, test or any')
    .default('live')
    .register(notes, {
      example: 'test',
      description: 'Which keys are accepted: `live` keys, `test` keys, or `any`',
    }),
  SOKU_IMPORTED_KEY_PREFIXES: listSchema(
    isImportedPrefix,
    'contains an entry that is neither * nor up to 40 of A-Z, a-z, 0-9, -, ., _, ~, + and /',
  )
    .default([])
    .register(notes, {
      example: 'acme_,pk-',
      description:
        'Prefixes of [imported](import.md) keys of other formats, separated by commas. `*`: every token of up to 200 characters, so each unknown one costs a database query',
    }),
  SOKU_OWNER_EMAIL: emailSchema.optional().register(notes, {
    example: 'ada@example.com',
    description:
      'Email address of the first account. If `SOKU_OWNER_PASSWORD` is set as well, the account is created at the first start, without the setup page',
  }),
  SOKU_OWNER_PASSWORD: passwordSchema.optional().register(notes, {
    example: '"a long sentence that only you know"',
    description: 'Password of the first account',
  }),
  SOKU_MAX_ACTIVE_KEYS: integerSchema(1, 100_000_000).default(10_000).register(notes, {
    example: '10000',
    description: 'Maximum number of active keys per workspace',
  }),
  SOKU_CACHE_KEYS: integerSchema(1, 10_000_000).default(1_000_000).register(notes, {
    example: '1000000',
    description: 'Maximum number of valid keys in the verification cache',
  }),
  SOKU_CACHE_REFUSED_KEYS: integerSchema(1, 10_000_000).default(100_000).register(notes, {
    example: '100000',
    description:
      'Maximum number of unknown and revoked keys in the cache. They have their own space, so guessed keys evict no valid ones',
  }),
  SOKU_KEY_RATE_LIMIT: rateLimitVariableSchema.default(1000).register(notes, {
    example: '1000',
    description:
      'Requests per minute for a key, unless the key or its workspace has its own limit. `off`: no limit',
  }),
  SOKU_ADDRESS_RATE_LIMIT: rateLimitVariableSchema.default(60).register(notes, {
    example: '60',
    description:
      'Requests per minute with malformed or unknown credentials from one IP address (for IPv6, one /64). `off`: no limit',
  }),
  SOKU_VERIFY_SCOPE: z
    .enum(['deployment', 'workspace'], 'must be deployment or workspace')
    .default('deployment')
    .register(notes, {
      example: 'workspace',
      description:
        'Keys that `POST /v1/verify` can verify: all keys of the `deployment`, or only those of the caller’s `workspace`. Other keys are reported as `unknown_key`',
    }),
  SOKU_GATEWAY_UPSTREAM: z
    .string()
    .refine(isUpstreamUrl, 'must be an http(s) URL, with or without a path')
    .optional()
    .register(notes, {
      example: 'http://127.0.0.1:4000',
      description: 'Starts the gateway, which forwards requests with a valid key to this URL',
    }),
  SOKU_GATEWAY_PORT: integerSchema(1, 65535)
    .default(3001)
    .register(notes, { example: '3001', description: 'Port of the gateway' }),
  SOKU_GATEWAY_FORWARD_KEY: z.enum(['on', 'off'], 'must be on or off').default('off').register(notes, {
    example: 'off',
    description:
      'Whether the gateway forwards the `Authorization` header, which contains the key: `on` or `off`',
  }),
  SOKU_GATEWAY_PREFLIGHT: z
    .enum(['refuse', 'pass'], 'must be refuse or pass')
    .default('refuse')
    .register(notes, {
      example: 'refuse',
      description:
        'Whether the gateway rejects CORS preflights, which carry no key, or forwards them: `refuse` or `pass`',
    }),
  SOKU_GATEWAY_RULES: z.string().optional().register(notes, {
    example: '/etc/soku/gateway-rules.json',
    description:
      'JSON file with the scopes that a key needs for the methods and paths behind the gateway ([rules](gateway.md#rules))',
  }),
  SOKU_GITHUB_KEYS_URL: z.string().refine(isKeyListUrl, 'must be an https URL').optional().register(notes, {
    example: 'https://api.github.com/meta/public_keys/secret_scanning',
    description:
      'URL of the public keys with which GitHub signs its [reports of leaked keys](leaks.md). Without it, `POST /v1/leaks/github` returns 404',
  }),
  SOKU_AUDIT_RETENTION_DAYS: integerSchema(1, 36_500).default(400).register(notes, {
    example: '400',
    description: 'Days after which [audit log](audit.md) events are deleted',
  }),
  SOKU_WEBHOOK_ALLOW: listSchema(
    isRangeOrHost,
    'contains an entry that is not an IP address, a range or the name of a host',
  )
    .default([])
    .register(notes, {
      example: '10.1.0.0/16,hooks.internal',
      description:
        'IP addresses, ranges and names of hosts that [webhooks](webhooks.md) may reach although they are not public, separated by commas. The URL of such a host may also start with `http://`',
    }),
  SMTP_URL: parsedSchema(
    parseSmtpUrl,
    'must be an smtp:// or smtps:// URL, with both a user and a password or neither',
  )
    .optional()
    .register(notes, {
      example: 'smtps://user:password@smtp.example.com',
      description:
        'SMTP server that sends [email](mail.md): `smtps://` (port 465) or `smtp://` (port 587, with STARTTLS). A remote host must use TLS with a trusted certificate, unless an `smtp://` URL ends in `?tls=off`. Without it, emails are written to the directory `outbox` in the data directory',
    }),
  MAIL_FROM: parsedSchema(parseSender, 'must be an email address, or a name and an address in <>')
    .optional()
    .register(notes, {
      example: 'soku@example.com',
      description:
        'Sender of emails: an address, or a name and an address, `Soku <soku@example.com>`. Required with `SMTP_URL`',
    }),
  SOKU_USAGE_RETENTION_DAYS: integerSchema(2, 3660).default(90).register(notes, {
    example: '90',
    description: 'Days after which [usage](usage.md) counts are deleted',
  }),
  SOKU_METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'must have at least 16 characters, all of them visible ASCII')
    .optional()
    .register(notes, {
      example: 'at-least-16-random-characters',
      description:
        'Token for `/metrics` and `/v1/nodes`, sent as `Authorization: Bearer`. Without it, only programs on the same machine can read them, through a loopback host name or the host name of `SOKU_PUBLIC_URL`. A proxy on the same machine that adds no header such as `X-Forwarded-For` then exposes them to its clients',
    }),
  LOG_LEVEL: z
    .enum(logLevels, `must be one of ${logLevels.join(', ')}`)
    .default('info')
    .register(notes, {
      example: 'info',
      description: `One of ${logLevels.map((level) => `\`${level}\``).join(', ')}. \`debug\` logs every request`,
    }),
  TRUST_PROXY: listSchema(isAddressRange, 'contains an entry that is not an IP address or range')
    .default([])
    .register(notes, {
      example: '10.0.0.1,192.168.0.0/16',
      description:
        'IP addresses and ranges of the proxies that report the client in `TRUST_PROXY_HEADER`, separated by commas. Without it, the client is the peer of the connection, and no header is read',
    }),
  TRUST_PROXY_HEADER: z
    .enum(addressHeaders, `must be ${addressHeaders.join(' or ')}`)
    .default('x-forwarded-for')
    .register(notes, {
      example: 'x-forwarded-for',
      description:
        'The header in which these proxies report the client: `x-forwarded-for` or `forwarded` (RFC 7239). The other one is never read, because proxies forward it as the client sent it',
    }),
});

export type Variables = z.infer<typeof variablesSchema>;
export type VariableName = keyof Variables;

export const variableNames: VariableName[] = variablesSchema.keyof().options;

/** An example value of a variable. */
export function exampleValue(name: VariableName): string {
  return notes.get(variablesSchema.shape[name])?.example ?? '';
}

/** Describes every variable, for the generated documentation. */
export function describeVariables(): { name: string; fallback: string; meaning: string; example: string }[] {
  const defaults: Record<string, unknown> = variablesSchema.parse({});
  return variableNames.map((name) => ({
    name,
    fallback: [defaults[name] ?? ''].flat().join(','),
    meaning: notes.get(variablesSchema.shape[name])?.description ?? '',
    example: exampleValue(name),
  }));
}
