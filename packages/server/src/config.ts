import { readFileSync } from 'node:fs';
import type { Environment } from '@soku/contract/key-policy';
import {
  exampleValue,
  type VariableName,
  type Variables,
  variableNames,
  variablesSchema,
} from './config-variables.ts';
import type { Rule } from './gateway/rules.ts';
import { parseRules, RulesError } from './gateway/rules-file.ts';
import { wouldLoop } from './gateway/upstream-url.ts';
import type { AddressHeader } from './http/client-address.ts';
import type { Sender } from './mail/sender.ts';
import type { SmtpServer } from './mail/smtp-url.ts';
import { StartupError } from './startup-error.ts';

interface GatewayConfig {
  /** Absolute http(s) URL. */
  upstream: string;
  port: number;
  forwardKey: boolean;
  preflight: 'refuse' | 'pass';
  rules: readonly Rule[];
}

interface MailConfig {
  /** Undefined: emails are written to files. */
  smtp: SmtpServer | undefined;
  from: Sender;
}

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** PostgreSQL URL, including the password. Undefined: data is in the SQLite file of the data directory. */
  databaseUrl: string | undefined;
  /** Origin without a trailing slash. */
  publicUrl: string;
  /** Signs session cookies. Undefined: a secret is generated in the data directory. */
  secret: string | undefined;
  /** Accepted prefixes. New keys get the first one. */
  keyPrefixes: [string, ...string[]];
  /** The prefix of new test keys, which is also accepted. Undefined: every key is live. */
  testKeyPrefix: string | undefined;
  /** Prefixes of imported keys of other formats; `*`: any. */
  importedKeyPrefixes: readonly string[];
  owner: { email: string; password: string } | undefined;
  maxActiveKeys: number;
  cacheKeys: number;
  cacheRefusedKeys: number;
  /** Requests per minute for a key without its own limit. */
  keyRateLimit: number | 'off';
  /** Requests per minute with malformed or unknown credentials from one IP address. */
  addressRateLimit: number | 'off';
  /** The keys that POST /v1/verify can verify. */
  verifyScope: 'deployment' | 'workspace';
  /** The keys that verification accepts. */
  verifyEnvironment: Environment | 'any';
  /** URL of GitHub's public keys. Undefined: reports of leaks are not accepted. */
  githubKeysUrl: string | undefined;
  auditRetentionDays: number;
  /** Addresses, CIDR blocks and names of hosts that webhooks may reach although they are not public. */
  webhookAllow: readonly string[];
  usageRetentionDays: number;
  /** Undefined: the gateway does not start. */
  gateway: GatewayConfig | undefined;
  mail: MailConfig;
  /** Undefined: only programs on this machine may read the metrics. */
  metricsToken: string | undefined;
  logLevel: Variables['LOG_LEVEL'];
  /** Addresses and CIDR ranges of trusted proxies. */
  trustProxy: string[];
  /** The only header in which trusted proxies report the client. */
  trustProxyHeader: AddressHeader;
}

/**
 * Reads the configuration. An empty variable counts as unset, because compose files set variables to ''.
 *
 * @throws {StartupError} 78 with one line that states the variable, its problem and an example, but never its value
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const values = parseVariables(environment);
  const { SOKU_OWNER_EMAIL: email, SOKU_OWNER_PASSWORD: password } = values;
  if (email === undefined && password !== undefined) throw missingHalf('SOKU_OWNER_EMAIL');
  if (email !== undefined && password === undefined) throw missingHalf('SOKU_OWNER_PASSWORD');
  if (values.DATABASE_URL !== undefined && values.SOKU_SECRET === undefined) {
    throw wrong('SOKU_SECRET', 'is required with DATABASE_URL and must be the same for all processes');
  }
  const { SOKU_TEST_KEY_PREFIX: testPrefix } = values;
  if (testPrefix === values.SOKU_KEY_PREFIX)
    throw wrong('SOKU_TEST_KEY_PREFIX', 'must differ from SOKU_KEY_PREFIX');
  const testPrefixes = testPrefix === undefined ? [] : [testPrefix];
  return {
    host: values.HOST,
    port: values.PORT,
    dataDir: values.SOKU_DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    publicUrl: values.SOKU_PUBLIC_URL ?? `http://localhost:${values.PORT}`,
    secret: values.SOKU_SECRET,
    keyPrefixes: [values.SOKU_KEY_PREFIX, ...values.SOKU_ACCEPTED_PREFIXES, ...testPrefixes],
    testKeyPrefix: testPrefix,
    importedKeyPrefixes: values.SOKU_IMPORTED_KEY_PREFIXES,
    owner: email !== undefined && password !== undefined ? { email, password } : undefined,
    maxActiveKeys: values.SOKU_MAX_ACTIVE_KEYS,
    cacheKeys: values.SOKU_CACHE_KEYS,
    cacheRefusedKeys: values.SOKU_CACHE_REFUSED_KEYS,
    keyRateLimit: values.SOKU_KEY_RATE_LIMIT,
    addressRateLimit: values.SOKU_ADDRESS_RATE_LIMIT,
    verifyScope: values.SOKU_VERIFY_SCOPE,
    verifyEnvironment: values.SOKU_VERIFY_ENVIRONMENT,
    githubKeysUrl: values.SOKU_GITHUB_KEYS_URL,
    auditRetentionDays: values.SOKU_AUDIT_RETENTION_DAYS,
    webhookAllow: values.SOKU_WEBHOOK_ALLOW,
    usageRetentionDays: values.SOKU_USAGE_RETENTION_DAYS,
    gateway: gatewayOf(values),
    mail: mailOf(values),
    metricsToken: values.SOKU_METRICS_TOKEN,
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY,
    trustProxyHeader: values.TRUST_PROXY_HEADER,
  };
}

function mailOf({ SMTP_URL: smtp, MAIL_FROM: from }: Variables): MailConfig {
  if (smtp !== undefined && from === undefined) throw wrong('MAIL_FROM', 'is required with SMTP_URL');
  return { smtp, from: from ?? { name: 'Soku API Keys', address: 'soku@localhost' } };
}

function gatewayOf(values: Variables): GatewayConfig | undefined {
  const { SOKU_GATEWAY_UPSTREAM: upstream, SOKU_GATEWAY_PORT: port } = values;
  // The file is read even without a gateway, so that a mistake is found before the gateway is turned on.
  const rules = readRules(values.SOKU_GATEWAY_RULES);
  if (upstream === undefined) return undefined;
  if (port === values.PORT) throw wrong('SOKU_GATEWAY_PORT', 'must differ from PORT');
  if (wouldLoop(upstream, values.HOST, port))
    throw wrong('SOKU_GATEWAY_UPSTREAM', 'must not point to the gateway itself');
  return {
    upstream,
    port,
    forwardKey: values.SOKU_GATEWAY_FORWARD_KEY === 'on',
    preflight: values.SOKU_GATEWAY_PREFLIGHT,
    rules,
  };
}

/** @param file undefined if there are no rules */
function readRules(file: string | undefined): readonly Rule[] {
  if (file === undefined) return [];
  try {
    return parseRules(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof RulesError) throw wrong('SOKU_GATEWAY_RULES', `names a file that ${error.message}`);
    const reason = error instanceof Error && 'code' in error ? error.code : 'unknown reason';
    throw wrong('SOKU_GATEWAY_RULES', `names a file that cannot be read (${reason})`);
  }
}

/**
 * Returns the unknown variables with Soku's prefix: mostly misspelled names, for which the default would silently apply.
 * They do not prevent the start, because platforms also set such names (for a service "soku", Kubernetes sets
 * SOKU_SERVICE_HOST and SOKU_PORT).
 */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  return Object.keys(environment).filter(
    (name) => name.startsWith('SOKU_') && !variableNames.some((known) => known === name),
  );
}

function parseVariables(environment: Record<string, string | undefined>): Variables {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = variablesSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = variablesSchema.keyof().parse(issue?.path[0]);
  throw wrong(name, issue?.message ?? 'is invalid');
}

function missingHalf(name: VariableName): StartupError {
  return wrong(name, 'is missing: set both SOKU_OWNER_EMAIL and SOKU_OWNER_PASSWORD, or neither');
}

function wrong(name: VariableName, problem: string): StartupError {
  return new StartupError('configuration', `${name} ${problem}. Example: ${name}=${exampleValue(name)}`);
}
