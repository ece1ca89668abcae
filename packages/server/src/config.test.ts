import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { readConfig, unknownVariables } from './config.ts';
import { describeVariables } from './config-variables.ts';
import { parsePostgresUrl } from './database/postgres-url.ts';
import { StartupError } from './startup-error.ts';

/** Fails unless the environment is rejected with one line that matches `says`. */
function assertRefused(environment: Record<string, string>, says: RegExp): void {
  assert.throws(
    () => readConfig(environment),
    (error) => {
      assert.ok(error instanceof StartupError);
      assert.equal(error.exitCode, 78);
      assert.match(error.message, says);
      assert.ok(!error.message.includes('\n'), 'one line');
      return true;
    },
    JSON.stringify(environment),
  );
}

test('an empty environment is a complete configuration', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    dataDir: './data',
    databaseUrl: undefined,
    publicUrl: 'http://localhost:3000',
    secret: undefined,
    keyPrefixes: ['sk_live_'],
    testKeyPrefix: undefined,
    importedKeyPrefixes: [],
    owner: undefined,
    maxActiveKeys: 10_000,
    githubKeysUrl: undefined,
    auditRetentionDays: 400,
    webhookAllow: [],
    mail: { smtp: undefined, from: { name: 'Soku API Keys', address: 'soku@localhost' } },
    usageRetentionDays: 90,
    metricsToken: undefined,
    cacheKeys: 1_000_000,
    cacheRefusedKeys: 100_000,
    keyRateLimit: 1000,
    verifyScope: 'deployment',
    verifyEnvironment: 'live',
    addressRateLimit: 60,
    gateway: undefined,
    logLevel: 'info',
    trustProxy: [],
    trustProxyHeader: 'x-forwarded-for',
  });
});

test('every variable is read', () => {
  const environment = {
    HOST: '::',
    PORT: '8080',
    SOKU_DATA_DIR: '/var/lib/soku',
    SOKU_PUBLIC_URL: 'https://Keys.Example.com:443/',
    SOKU_SECRET: 'x'.repeat(32),
    SOKU_KEY_PREFIX: 'acme_',
    SOKU_ACCEPTED_PREFIXES: 'sk_live_, old_2_',
    SOKU_OWNER_EMAIL: ' Ada@Example.com ',
    SOKU_OWNER_PASSWORD: 'correct horse',
    SOKU_MAX_ACTIVE_KEYS: '3',
    SOKU_METRICS_TOKEN: 'sixteen-or-more!',
    SOKU_CACHE_KEYS: '1',
    SOKU_CACHE_REFUSED_KEYS: '2',
    SOKU_KEY_RATE_LIMIT: 'off',
    SOKU_VERIFY_SCOPE: 'workspace',
    SOKU_GITHUB_KEYS_URL: 'https://api.github.com/meta/public_keys/secret_scanning',
    SOKU_AUDIT_RETENTION_DAYS: '7',
    SOKU_WEBHOOK_ALLOW: '10.1.0.0/16, hooks.internal,localhost,::1',
    SOKU_USAGE_RETENTION_DAYS: '400',
    SOKU_ADDRESS_RATE_LIMIT: '1000000000',
    SOKU_GATEWAY_UPSTREAM: 'https://api.example.com/v2/',
    SOKU_GATEWAY_PORT: '8081',
    SOKU_GATEWAY_FORWARD_KEY: 'on',
    SOKU_GATEWAY_PREFLIGHT: 'pass',
    LOG_LEVEL: 'silent',
    TRUST_PROXY: '10.0.0.1, 192.168.0.0/16,::1,fd00::/8',
    TRUST_PROXY_HEADER: 'forwarded',
  };
  assert.deepEqual(readConfig(environment), {
    host: '::',
    port: 8080,
    dataDir: '/var/lib/soku',
    databaseUrl: undefined,
    publicUrl: 'https://keys.example.com',
    secret: 'x'.repeat(32),
    keyPrefixes: ['acme_', 'sk_live_', 'old_2_'],
    testKeyPrefix: undefined,
    importedKeyPrefixes: [],
    owner: { email: 'ada@example.com', password: 'correct horse' },
    maxActiveKeys: 3,
    githubKeysUrl: 'https://api.github.com/meta/public_keys/secret_scanning',
    auditRetentionDays: 7,
    webhookAllow: ['10.1.0.0/16', 'hooks.internal', 'localhost', '::1'],
    mail: { smtp: undefined, from: { name: 'Soku API Keys', address: 'soku@localhost' } },
    usageRetentionDays: 400,
    metricsToken: 'sixteen-or-more!',
    cacheKeys: 1,
    cacheRefusedKeys: 2,
    keyRateLimit: 'off',
    verifyScope: 'workspace',
    verifyEnvironment: 'live',
    addressRateLimit: 1_000_000_000,
    gateway: {
      upstream: 'https://api.example.com/v2/',
      port: 8081,
      forwardKey: true,
      preflight: 'pass',
      rules: [],
    },
    logLevel: 'silent',
    trustProxy: ['10.0.0.1', '192.168.0.0/16', '::1', 'fd00::/8'],
    trustProxyHeader: 'forwarded',
  });
});

test('without a public URL, its default uses the port', () => {
  assert.equal(readConfig({ PORT: '8080' }).publicUrl, 'http://localhost:8080');
});

test('an empty variable counts as unset, as in compose files', () => {
  const names = describeVariables().map((variable) => variable.name);
  assert.deepEqual(readConfig(Object.fromEntries(names.map((name) => [name, '']))), readConfig({}));
});

test('unrelated variables have no effect', () => {
  assert.deepEqual(readConfig({ PATH: '/bin', PORTS: 'x', port: 'x', __proto__: 'x' }), readConfig({}));
});

const wrong: [string, string, RegExp][] = [
  ['PORT', '0', /must be between 1 and 65535/],
  ['PORT', '65536', /must be between 1 and 65535/],
  ['PORT', '-1', /must be a whole number/],
  ['PORT', '80.5', /must be a whole number/],
  ['PORT', '0x50', /must be a whole number/],
  ['PORT', '1e3', /must be a whole number/],
  ['PORT', ' 80', /must be a whole number/],
  ['SOKU_PUBLIC_URL', 'keys.example.com', /must be an http\(s\) URL/],
  ['SOKU_SECRET', 'x'.repeat(31), /at least 32 characters/],
  ['SOKU_KEY_PREFIX', 'sk', /lowercase letter/],
  ['SOKU_KEY_PREFIX', 'SK_', /lowercase letter/],
  ['SOKU_KEY_PREFIX', '1sk_', /lowercase letter/],
  ['SOKU_KEY_PREFIX', 'sk-live_', /lowercase letter/],
  ['SOKU_KEY_PREFIX', `${'x'.repeat(20)}_`, /lowercase letter/],
  ['SOKU_ACCEPTED_PREFIXES', 'sk_,,acme_', /contains an entry that is not a key prefix/],
  ['SOKU_ACCEPTED_PREFIXES', 'sk_;acme_', /contains an entry that is not a key prefix/],
  ['SOKU_MAX_ACTIVE_KEYS', '0', /must be between 1 and/],
  ['SOKU_MAX_ACTIVE_KEYS', 'many', /must be a whole number/],
  ['SOKU_CACHE_KEYS', '10000001', /must be between 1 and 10000000/],
  ['SOKU_VERIFY_SCOPE', 'all', /must be deployment or workspace/],
  ['SOKU_KEY_RATE_LIMIT', '0', /must be between 1 and 1000000000/],
  ['SOKU_KEY_RATE_LIMIT', '1000000001', /must be between 1 and/],
  ['SOKU_KEY_RATE_LIMIT', 'OFF', /must be a whole number or off/],
  ['SOKU_ADDRESS_RATE_LIMIT', 'none', /must be a whole number or off/],
  ['SOKU_GATEWAY_UPSTREAM', 'api.example.com:80', /must be an http\(s\) URL/],
  ['SOKU_GATEWAY_UPSTREAM', 'ws://api.example.com', /must be an http\(s\) URL/],
  ['SOKU_GATEWAY_UPSTREAM', 'http://', /must be an http\(s\) URL/],
  ['SOKU_GATEWAY_UPSTREAM', 'http://user:password@api.example.com', /must be an http\(s\) URL/],
  ['SOKU_GATEWAY_UPSTREAM', 'http://api.example.com/?a=1', /must be an http\(s\) URL/],
  ['SOKU_GATEWAY_UPSTREAM', 'http://localhost:3001/base', /must not point to the gateway itself/],
  ['SOKU_GATEWAY_PORT', '0', /must be between 1 and 65535/],
  ['SOKU_GATEWAY_RULES', '/no/such/rules.json', /names a file that cannot be read \(ENOENT\)/],
  ['SOKU_GATEWAY_FORWARD_KEY', 'true', /must be on or off/],
  ['SOKU_GATEWAY_PREFLIGHT', 'allow', /must be refuse or pass/],
  ['SOKU_WEBHOOK_ALLOW', '10.0.0', /not an IP address, a range or the name of a host/],
  ['SOKU_WEBHOOK_ALLOW', '0.0.0.0/0', /not an IP address, a range or the name of a host/],
  ['SOKU_WEBHOOK_ALLOW', 'https://hooks.internal', /not an IP address, a range or the name of a host/],
  ['SOKU_WEBHOOK_ALLOW', 'hooks.internal:8080', /not an IP address, a range or the name of a host/],
  ['LOG_LEVEL', 'loud', /must be one of trace, debug, info/],
  ['LOG_LEVEL', 'INFO', /must be one of/],
  ['TRUST_PROXY', 'true', /not an IP address or range/],
  ['TRUST_PROXY', '*', /not an IP address or range/],
  ['TRUST_PROXY', '0.0.0.0/0', /not an IP address or range/],
  ['TRUST_PROXY', '10.0.0.0/33', /not an IP address or range/],
  ['TRUST_PROXY', '::ffff:10.0.0.0/96', /not an IP address or range/],
  ['TRUST_PROXY', '10.0.0.0/8/8', /not an IP address or range/],
  ['TRUST_PROXY', 'proxy.example.com', /not an IP address or range/],
  ['TRUST_PROXY_HEADER', 'X-Real-IP', /must be x-forwarded-for or forwarded/],
];

test('an invalid value is rejected with the name of its variable and an example', () => {
  for (const [name, value, problem] of wrong) {
    assertRefused({ [name]: value }, problem);
    assertRefused({ [name]: value }, new RegExp(`^${name} .*Example: ${name}=`));
  }
});

test('the owner needs a valid email address and a valid password', () => {
  const [email, password] = ['ada@example.com', 'long enough'];
  assertRefused({ SOKU_OWNER_EMAIL: email }, /^SOKU_OWNER_PASSWORD is missing/);
  assertRefused({ SOKU_OWNER_PASSWORD: password }, /^SOKU_OWNER_EMAIL is missing/);
  assertRefused(
    { SOKU_OWNER_EMAIL: 'ada', SOKU_OWNER_PASSWORD: password },
    /^SOKU_OWNER_EMAIL must be an email/,
  );
  assertRefused(
    { SOKU_OWNER_EMAIL: email, SOKU_OWNER_PASSWORD: 'short' },
    /^SOKU_OWNER_PASSWORD must have at least 8/,
  );
});

test('PostgreSQL needs a valid URL and an explicit secret', () => {
  const url = 'postgres://soku@db.example.com/soku';
  const secret = 'x'.repeat(32);
  assert.equal(readConfig({ DATABASE_URL: url, SOKU_SECRET: secret }).databaseUrl, url);
  const socket = 'postgresql://soku:p%40ss@/soku?host=/var/run/postgresql';
  const { databaseUrl = '' } = readConfig({ DATABASE_URL: socket, SOKU_SECRET: secret });
  const { host, user, password, database, ssl } = new pg.Client(parsePostgresUrl(databaseUrl));
  assert.deepEqual(
    [host, user, password, database, ssl],
    ['/var/run/postgresql', 'soku', 'p@ss', 'soku', false],
  );
  assertRefused({ DATABASE_URL: url }, /^SOKU_SECRET is required with DATABASE_URL/);
  for (const wrongUrl of ['mysql://db/soku', 'db.example.com', 'postgres', 'postgres://ada@/soku']) {
    assertRefused({ DATABASE_URL: wrongUrl, SOKU_SECRET: secret }, /^DATABASE_URL must be a postgres:/);
  }
  const several = 'postgres://soku:p,w@db1.example.com:5432,db2.example.com/soku';
  assertRefused({ DATABASE_URL: several, SOKU_SECRET: secret }, /^DATABASE_URL must name one host, whose/);
  readConfig({ DATABASE_URL: 'postgres://soku:p,w@db1.example.com/soku', SOKU_SECRET: secret });
});

test('the metrics token is long and fits into a header', () => {
  const refused = /^SOKU_METRICS_TOKEN must have at least 16 characters, all of them visible ASCII/;
  for (const token of ['fifteen-letters', 'with a space in it', 'with\u00fcmlaut-in-it-somewhere']) {
    assertRefused({ SOKU_METRICS_TOKEN: token }, refused);
  }
});

test('the gateway has its own port and does not forward to itself', () => {
  const upstream = 'http://127.0.0.1:4000';
  assert.equal(readConfig({ SOKU_GATEWAY_UPSTREAM: upstream }).gateway?.port, 3001);
  assert.equal(
    readConfig({ SOKU_GATEWAY_PORT: '3000' }).gateway,
    undefined,
    'no gateway without an upstream',
  );
  const same = /^SOKU_GATEWAY_PORT must differ from PORT. Example: /;
  assertRefused({ SOKU_GATEWAY_UPSTREAM: upstream, SOKU_GATEWAY_PORT: '3000' }, same);
  assertRefused({ SOKU_GATEWAY_UPSTREAM: upstream, PORT: '3001' }, same);
  const itself = /^SOKU_GATEWAY_UPSTREAM must not point to the gateway itself/;
  for (const own of ['http://localhost:3001', 'http://[::1]:3001/v2', 'http://10.0.0.1:3001']) {
    assertRefused({ HOST: '10.0.0.1', SOKU_GATEWAY_UPSTREAM: own }, itself);
  }
  assertRefused({ SOKU_GATEWAY_UPSTREAM: 'https://localhost', SOKU_GATEWAY_PORT: '443' }, itself);
  readConfig({ HOST: '10.0.0.1', SOKU_GATEWAY_UPSTREAM: 'http://10.0.0.2:3001' });
});

test('no error message contains a secret', () => {
  const secret = 'Tr0ub4dor';
  const environments = [
    { SOKU_SECRET: secret },
    { SOKU_OWNER_PASSWORD: secret },
    { SOKU_OWNER_EMAIL: 'ada', SOKU_OWNER_PASSWORD: secret },
    { SOKU_OWNER_EMAIL: 'ada@example.com', SOKU_OWNER_PASSWORD: secret.repeat(20) },
    { SOKU_PUBLIC_URL: `https://ada:${secret}@keys.example.com` },
    { SOKU_GATEWAY_UPSTREAM: `http://ada:${secret}@api.example.com` },
    { DATABASE_URL: `postgres://ada:${secret}@host/db` },
    { DATABASE_URL: `mysql://ada:${secret}@host/db` },
    { SMTP_URL: `smtp://ada:${secret}@host` },
    { SMTP_URL: `smtp://${secret}@host` },
    { SOKU_METRICS_TOKEN: secret },
  ];
  for (const environment of environments) {
    assertRefused(environment, new RegExp(`^(?!.*${secret}).*$`));
  }
});

test('every example is a valid value', () => {
  for (const { name, example } of describeVariables()) {
    // The file of the example does not exist here.
    if (name === 'SOKU_SECRET' || name === 'SOKU_GATEWAY_RULES') continue;
    const pair = {
      SOKU_OWNER_EMAIL: 'ada@example.com',
      SOKU_OWNER_PASSWORD: 'long enough',
      SOKU_SECRET: 'x'.repeat(32),
      MAIL_FROM: 'ada@example.com',
    };
    readConfig({ ...pair, [name]: example });
  }
});

test('a misspelled SOKU_ variable is found, and unrelated variables are not', () => {
  const environment = { SOKU_DATADIR: '/tmp', SOKU_DATA_DIR: '/tmp', SOKUTYPO: '1', PATH: '/bin' };
  assert.deepEqual(unknownVariables(environment), ['SOKU_DATADIR']);
});
