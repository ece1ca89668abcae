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
import { isLoopOf, isUpstreamUrl } from './gateway/upstream-url.ts';
import { type AddressHeader, addressHeaders } from './http/client-address.ts';
import { StartupError } from './startup-error.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Each variable: its rule, its default, and (from .describe) what the documentation says of it. */
const schema = z.object({
  HOST: z.string().default('127.0.0.1').describe('The address that it listens on'),
  PORT: wholeNumber(1, 65535).default(3000).describe('The port that it listens on'),
  SOKU_DATA_DIR: z
    .string()
    .default('./data')
    .describe(
      'Directory of the SQLite file, the generated secret, and the journal `dead-hashes`, which keeps revoked keys dead when a backup is restored; exactly one process may have it open. With `DATABASE_URL`, too, it must be on a disk that outlives the process',
    ),
  DATABASE_URL: z
    .string()
    .transform(withHost)
    .refine(isPostgresUrl, 'is not a postgres:// address')
    .optional()
    .describe(
      '`postgres://user:password@host/database`: everything is kept in PostgreSQL, and several processes may share it; without it in a SQLite file in the data directory. Another host must speak TLS with a trusted certificate, unless the address ends in `?sslmode=disable`',
    ),
  SOKU_PUBLIC_URL: z
    .string()
    .refine(isOrigin, 'is not an http(s) address without a path')
    .transform((text) => new URL(text).origin)
    .optional()
    .describe('The address in links and cookies; without it `http://localhost:PORT`'),
  SOKU_SECRET: z
    .string()
    .trim()
    .min(32, 'has fewer than 32 characters')
    .optional()
    .describe(
      'Signs session cookies; without it a secret is generated into the data directory (mode 0600). Needed with `DATABASE_URL`, and the same for all processes',
    ),
  SOKU_KEY_PREFIX: z
    .string()
    .refine(isPrefix, 'is not a lower-case letter, then at most 18 of a-z, 0-9 and _, then _')
    .default(defaultPrefix)
    .describe(
      'Prefix of new keys. Choose one of your own: secret scanners report a key with the default as one of Stripe’s, and TruffleHog sends it there ([rules for scanners](secret-scanners.md))',
    ),
  SOKU_ACCEPTED_PREFIXES: list(isPrefix, 'has an entry that is not a key prefix')
    .default([])
    .describe('Further prefixes that existing keys may have, separated by commas'),
  SOKU_OWNER_EMAIL: emailSchema
    .optional()
    .describe('With the password: makes the first account at the first start, without the setup page'),
  SOKU_OWNER_PASSWORD: passwordSchema.optional().describe('The password of that account'),
  SOKU_MAX_ACTIVE_KEYS: wholeNumber(1, 100_000_000)
    .default(10_000)
    .describe('Most active keys of a workspace; one more is refused'),
  SOKU_CACHE_KEYS: wholeNumber(1, 10_000_000)
    .default(1_000_000)
    .describe('Most keys that verification keeps in memory'),
  SOKU_CACHE_REFUSED_KEYS: wholeNumber(1, 10_000_000)
    .default(100_000)
    .describe('Most unknown and revoked keys that it keeps beside them, so that guessing evicts no good key'),
  SOKU_KEY_RATE_LIMIT: rateLimit
    .default(1000)
    .describe(
      'Requests a minute of a key, unless the key or its workspace has a limit of its own; `off`: no limit',
    ),
  SOKU_ADDRESS_RATE_LIMIT: rateLimit
    .default(60)
    .describe(
      'Requests a minute with malformed or unknown credentials from one address (of IPv6: one /64); `off`: no limit',
    ),
  SOKU_VERIFY_SCOPE: z
    .enum(['deployment', 'workspace'], 'is not deployment or workspace')
    .default('deployment')
    .describe(
      'Whose keys `POST /v1/verify` knows: those of the `deployment`, or of the `workspace` of the asking key, where others are `unknown_key`',
    ),
  SOKU_GATEWAY_UPSTREAM: z
    .string()
    .refine(isUpstreamUrl, 'is not an http(s) address, with a path or without')
    .optional()
    .describe('Starts the gateway: requests with a good key are passed on to this address'),
  SOKU_GATEWAY_PORT: wholeNumber(1, 65535).default(3001).describe('The port that the gateway listens on'),
  SOKU_GATEWAY_FORWARD_KEY: z
    .enum(['on', 'off'], 'is not on or off')
    .default('off')
    .describe('Whether the gateway hands on the `Authorization` header, and so the key: `on` or `off`'),
  SOKU_GATEWAY_PREFLIGHT: z
    .enum(['refuse', 'pass'], 'is not refuse or pass')
    .default('refuse')
    .describe('What the gateway does with CORS preflights, which carry no key: `refuse` or `pass`'),
  SOKU_METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'has fewer than 16 characters, or one that no header can hold')
    .optional()
    .describe(
      'Whoever sends it as `Authorization: Bearer` can read `/metrics` and `/v1/nodes`. Without it only programs on the same machine can, under a loopback name or that of `SOKU_PUBLIC_URL`; a proxy on the same machine that adds no header such as `X-Forwarded-For` then opens them to its clients',
    ),
  LOG_LEVEL: z
    .enum(logLevels, `is not one of ${logLevels.join(', ')}`)
    .default('info')
    .describe(
      `One of ${logLevels.map((level) => `\`${level}\``).join(', ')}; \`debug\` has a line for each request`,
    ),
  TRUST_PROXY: list(isAddressRange, 'has an entry that is not an address or a range')
    .default([])
    .describe(
      'Addresses and ranges of the proxies that name the client in the header of `TRUST_PROXY_HEADER`, separated by commas. Without it the client is whoever opens the connection, and no header is read',
    ),
  TRUST_PROXY_HEADER: z
    .enum(addressHeaders, `is not ${addressHeaders.join(' or ')}`)
    .default('x-forwarded-for')
    .describe(
      'The one header in which those proxies name the client: `x-forwarded-for` or `forwarded` (RFC 7239). The other one is never read, because a proxy passes it on as the client wrote it',
    ),
});

/** A right value of each variable, for the line that a wrong one gets. */
const examples: Record<keyof z.infer<typeof schema>, string> = {
  HOST: '0.0.0.0',
  PORT: '3000',
  SOKU_DATA_DIR: '/var/lib/soku',
  DATABASE_URL: 'postgres://soku:password@db.example.com/soku',
  SOKU_PUBLIC_URL: 'https://keys.example.com',
  SOKU_SECRET: '"$(openssl rand -base64 32)"',
  SOKU_KEY_PREFIX: 'sk_live_',
  SOKU_ACCEPTED_PREFIXES: 'sk_old_,acme_',
  SOKU_OWNER_EMAIL: 'ada@example.com',
  SOKU_OWNER_PASSWORD: '"a long sentence that only you know"',
  SOKU_MAX_ACTIVE_KEYS: '10000',
  SOKU_CACHE_KEYS: '1000000',
  SOKU_CACHE_REFUSED_KEYS: '100000',
  SOKU_KEY_RATE_LIMIT: '1000',
  SOKU_ADDRESS_RATE_LIMIT: '60',
  SOKU_VERIFY_SCOPE: 'workspace',
  SOKU_GATEWAY_UPSTREAM: 'http://127.0.0.1:4000',
  SOKU_GATEWAY_PORT: '3001',
  SOKU_GATEWAY_FORWARD_KEY: 'off',
  SOKU_GATEWAY_PREFLIGHT: 'refuse',
  SOKU_METRICS_TOKEN: 'at-least-16-random-characters',
  LOG_LEVEL: 'info',
  TRUST_PROXY: '10.0.0.1,192.168.0.0/16',
  TRUST_PROXY_HEADER: 'x-forwarded-for',
};

/** Every variable for the documentation, which is generated from here. */
export function describeVariables(): { name: string; fallback: string; meaning: string; example: string }[] {
  const defaults: Record<string, unknown> = schema.parse({});
  return schema.keyof().options.map((name) => ({
    name,
    fallback: [defaults[name] ?? ''].flat().join(','),
    meaning: schema.shape[name].description ?? '',
    example: examples[name],
  }));
}

/**
 * Variables with a fixed meaning that this version does not have. Ignoring one would let an operator believe
 * that, say, mails are sent; so a set one stops the start.
 */
const notInThisVersion = ['SMTP_URL', 'MAIL_FROM'];

interface GatewayConfig {
  /** Absolute http(s) URL. */
  upstream: string;
  port: number;
  forwardKey: boolean;
  preflight: 'refuse' | 'pass';
}

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** Address of PostgreSQL, with the password in it; absent: the file in the data directory. */
  databaseUrl: string | undefined;
  /** Origin, without a slash at the end. */
  publicUrl: string;
  /** Absent: generated into the data directory. */
  secret: string | undefined;
  /** Accepted prefixes; the first one is that of new keys. */
  keyPrefixes: [string, ...string[]];
  owner: { email: string; password: string } | undefined;
  maxActiveKeys: number;
  cacheKeys: number;
  cacheRefusedKeys: number;
  /** Requests a minute of a key without a limit of its own. */
  keyRateLimit: number | 'off';
  /** Requests a minute of an address with malformed or unknown credentials. */
  addressRateLimit: number | 'off';
  /** Whose keys POST /v1/verify knows. */
  verifyScope: 'deployment' | 'workspace';
  /** Absent: there is no gateway. */
  gateway: GatewayConfig | undefined;
  /** Absent: only programs on this machine may read the metrics. */
  metricsToken: string | undefined;
  logLevel: (typeof logLevels)[number];
  /** Addresses and CIDR ranges of the proxies that are believed. */
  trustProxy: string[];
  /** The one header in which they name the client. */
  trustProxyHeader: AddressHeader;
}

/**
 * Reads the configuration. An empty variable counts as not set, as compose files write them.
 *
 * @throws {StartupError} 78 with one line that names the variable, its problem and an example; never its value
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const values = parseVariables(environment);
  const { SOKU_OWNER_EMAIL: email, SOKU_OWNER_PASSWORD: password } = values;
  if (email === undefined && password !== undefined) throw missingHalf('SOKU_OWNER_EMAIL');
  if (email !== undefined && password === undefined) throw missingHalf('SOKU_OWNER_PASSWORD');
  if (values.DATABASE_URL !== undefined && values.SOKU_SECRET === undefined) {
    throw wrong('SOKU_SECRET', 'is missing, and with DATABASE_URL every process must have the same one');
  }
  return {
    host: values.HOST,
    port: values.PORT,
    dataDir: values.SOKU_DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    publicUrl: values.SOKU_PUBLIC_URL ?? `http://localhost:${values.PORT}`,
    secret: values.SOKU_SECRET,
    keyPrefixes: [values.SOKU_KEY_PREFIX, ...values.SOKU_ACCEPTED_PREFIXES],
    owner: email !== undefined && password !== undefined ? { email, password } : undefined,
    maxActiveKeys: values.SOKU_MAX_ACTIVE_KEYS,
    cacheKeys: values.SOKU_CACHE_KEYS,
    cacheRefusedKeys: values.SOKU_CACHE_REFUSED_KEYS,
    keyRateLimit: values.SOKU_KEY_RATE_LIMIT,
    addressRateLimit: values.SOKU_ADDRESS_RATE_LIMIT,
    verifyScope: values.SOKU_VERIFY_SCOPE,
    gateway: gatewayOf(values),
    metricsToken: values.SOKU_METRICS_TOKEN,
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY,
    trustProxyHeader: values.TRUST_PROXY_HEADER,
  };
}

function gatewayOf(values: z.infer<typeof schema>): GatewayConfig | undefined {
  const { SOKU_GATEWAY_UPSTREAM: upstream, SOKU_GATEWAY_PORT: port } = values;
  if (upstream === undefined) return undefined;
  if (port === values.PORT) throw wrong('SOKU_GATEWAY_PORT', 'is the same as PORT');
  if (isLoopOf(upstream, values.HOST, port)) throw wrong('SOKU_GATEWAY_UPSTREAM', 'is the gateway itself');
  return {
    upstream,
    port,
    forwardKey: values.SOKU_GATEWAY_FORWARD_KEY === 'on',
    preflight: values.SOKU_GATEWAY_PREFLIGHT,
  };
}

/**
 * Variables that begin as ours do, but are none: mostly misspelt ones, whose default would then silently hold. They
 * do not stop the start, because platforms make variables of such names themselves (for a service "soku",
 * Kubernetes sets SOKU_SERVICE_HOST and SOKU_PORT).
 */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  return Object.keys(environment).filter((name) => name.startsWith('SOKU_') && !(name in examples));
}

function parseVariables(environment: Record<string, string | undefined>): z.infer<typeof schema> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const unavailable = notInThisVersion.find((name) => present[name] !== undefined);
  if (unavailable !== undefined) {
    throw new StartupError(
      'configuration',
      `${unavailable} is set, but this version of Soku does not have what it configures. Unset it to start.`,
    );
  }
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = schema.keyof().parse(issue?.path[0]);
  throw wrong(name, issue?.message ?? 'is wrong');
}

function missingHalf(name: keyof typeof examples): StartupError {
  return wrong(name, 'is missing, but the other half of the owner is set');
}

function wrong(name: keyof typeof examples, problem: string): StartupError {
  return new StartupError('configuration', `${name} ${problem}. Example: ${name}=${examples[name]}`);
}
