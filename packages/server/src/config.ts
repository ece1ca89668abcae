import { readFileSync } from 'node:fs';
import {
  exampleOf,
  type VariableName,
  type Variables,
  variableNames,
  variables,
} from './config-variables.ts';
import type { Rule } from './gateway/rules.ts';
import { parseRules, RulesError } from './gateway/rules-file.ts';
import { isLoopOf } from './gateway/upstream-url.ts';
import type { AddressHeader } from './http/client-address.ts';
import { StartupError } from './startup-error.ts';

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
  rules: readonly Rule[];
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
  auditRetentionDays: number;
  /** Absent: there is no gateway. */
  gateway: GatewayConfig | undefined;
  /** Absent: only programs on this machine may read the metrics. */
  metricsToken: string | undefined;
  logLevel: Variables['LOG_LEVEL'];
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
    auditRetentionDays: values.SOKU_AUDIT_RETENTION_DAYS,
    gateway: gatewayOf(values),
    metricsToken: values.SOKU_METRICS_TOKEN,
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY,
    trustProxyHeader: values.TRUST_PROXY_HEADER,
  };
}

function gatewayOf(values: Variables): GatewayConfig | undefined {
  const { SOKU_GATEWAY_UPSTREAM: upstream, SOKU_GATEWAY_PORT: port } = values;
  if (upstream === undefined) return undefined;
  if (port === values.PORT) throw wrong('SOKU_GATEWAY_PORT', 'is the same as PORT');
  if (isLoopOf(upstream, values.HOST, port)) throw wrong('SOKU_GATEWAY_UPSTREAM', 'is the gateway itself');
  return {
    upstream,
    port,
    forwardKey: values.SOKU_GATEWAY_FORWARD_KEY === 'on',
    preflight: values.SOKU_GATEWAY_PREFLIGHT,
    rules: readRules(values.SOKU_GATEWAY_RULES),
  };
}

/** @param file absent: there are no rules */
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
 * Variables that begin as ours do, but are none: mostly misspelt ones, whose default would then silently hold. They
 * do not stop the start, because platforms make variables of such names themselves (for a service "soku",
 * Kubernetes sets SOKU_SERVICE_HOST and SOKU_PORT).
 */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  return Object.keys(environment).filter(
    (name) => name.startsWith('SOKU_') && !variableNames.some((known) => known === name),
  );
}

function parseVariables(environment: Record<string, string | undefined>): Variables {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const unavailable = notInThisVersion.find((name) => present[name] !== undefined);
  if (unavailable !== undefined) {
    throw new StartupError(
      'configuration',
      `${unavailable} is set, but this version of Soku does not have what it configures. Unset it to start.`,
    );
  }
  const parsed = variables.safeParse(present);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = variables.keyof().parse(issue?.path[0]);
  throw wrong(name, issue?.message ?? 'is wrong');
}

function missingHalf(name: VariableName): StartupError {
  return wrong(name, 'is missing, but the other half of the owner is set');
}

function wrong(name: VariableName, problem: string): StartupError {
  return new StartupError('configuration', `${name} ${problem}. Example: ${name}=${exampleOf(name)}`);
}
