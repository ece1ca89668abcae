/** The deployment of the game day: three nodes, PostgreSQL, HAProxy, Prometheus, and a receiver of webhooks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webhookWithSecretSchema } from '@soku/contract/webhooks';
import { startHaproxy } from '../test/operations/haproxy.ts';
import { DeployedNode } from '../test/operations/nodes.ts';
import type { ProxyProcess } from '../test/proxies/proxy.ts';
import { debianProgram, type Program } from '../test/support/debian.ts';
import { type Postgres, startPostgres } from '../test/support/postgres.ts';
import { createTemporaryDatabase } from '../test/support/postgres-database.ts';
import { freePort, runOperator, testSecret } from '../test/support/server.ts';
import { addAccount, openSession } from '../test/support/session.ts';
import { WebhookReceiver } from '../test/support/webhook-receiver.ts';
import { intervalMs, lookbackMs, shortenedRules } from './alerts.ts';
import { Prometheus } from './prometheus.ts';
import { Traffic } from './traffic.ts';

/** Thrown when a program is missing that the game day needs. */
export class MissingProgramError extends Error {}

const metricsToken = 'a-token-that-is-only-for-the-game-day';

/** Number of workspaces. Several, because the creations of one workspace wait for each other. */
const workspaces = 8;

export interface Member {
  /** As in deploy/haproxy.cfg. */
  name: string;
  node: DeployedNode;
}

export class GameDay implements AsyncDisposable {
  readonly members: readonly Member[];
  readonly postgres: Postgres;
  readonly prometheus: Prometheus;
  readonly traffic: Traffic;
  receiver: WebhookReceiver;
  balancer: ProxyProcess;
  readonly #startBalancer: () => Promise<ProxyProcess>;
  readonly #started: AsyncDisposableStack;

  private constructor(
    parts: Pick<GameDay, 'members' | 'postgres' | 'prometheus' | 'traffic' | 'receiver' | 'balancer'>,
    startBalancer: () => Promise<ProxyProcess>,
    started: AsyncDisposableStack,
  ) {
    this.members = parts.members;
    this.postgres = parts.postgres;
    this.prometheus = parts.prometheus;
    this.traffic = parts.traffic;
    this.receiver = parts.receiver;
    this.balancer = parts.balancer;
    this.#startBalancer = startBalancer;
    this.#started = started;
    started.defer(() => this.receiver.close());
    started.defer(() => this.balancer.stop());
    started.defer(() => this.traffic.stop());
  }

  /** @param report reports each step */
  static async start(report: (text: string) => void, signal: AbortSignal): Promise<GameDay> {
    const say = (text: string) => {
      signal.throwIfAborted();
      report(text);
    };
    const programs = { haproxy: requireProgram('haproxy'), prometheus: requireProgram('prometheus') };
    await using started = new AsyncDisposableStack();
    say('starting PostgreSQL and three nodes');
    const postgres = await startPostgres();
    started.defer(() => postgres.stop());
    const members = await startMembers(postgres, started);
    say('backing up, as every day');
    await backUp(members[0]);
    say('starting HAProxy with deploy/haproxy.cfg');
    const port = await freePort();
    const startBalancer = () =>
      startHaproxy(programs.haproxy, {
        configuration: 'deploy/haproxy.cfg',
        server: /soku-(\d):3000/g,
        ports: members.map(({ node }) => new URL(node.url).port),
        port,
      });
    const balancer = await startBalancer();
    started.defer(() => balancer.stop());
    say('starting Prometheus with deploy/alerts.yaml');
    const prometheus = await Prometheus.start(programs.prometheus, {
      rules: shortenedRules(),
      intervalMs,
      lookbackMs,
      targets: Object.fromEntries(members.map(({ name, node }) => [name, new URL(node.url).host])),
      token: metricsToken,
      signal,
    });
    started.defer(() => prometheus.stop());
    const receiver = await WebhookReceiver.start();
    const creations = Array.from({ length: workspaces }, () => createManager(members[0], receiver.url));
    const managers = await Promise.all(creations).catch(async (error) => {
      await receiver.close();
      throw error;
    });
    const traffic = new Traffic({
      balancerUrl: balancer.url,
      nodeUrls: members.map(({ node }) => node.url),
      managers,
    });
    const parts = { members, postgres, prometheus, traffic, receiver, balancer };
    const day = new GameDay(parts, startBalancer, started.move());
    try {
      say('sending requests');
      await traffic.start(signal);
      return day;
    } catch (error) {
      await day[Symbol.asyncDispose]();
      throw error;
    }
  }

  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no node ${index}`);
    return member;
  }

  async restartBalancer(): Promise<void> {
    this.balancer = await this.#startBalancer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync();
  }
}

function requireProgram(name: 'haproxy' | 'prometheus'): Program {
  const found = debianProgram(name);
  if (typeof found === 'string')
    throw new MissingProgramError(
      `The game day needs ${name}. ${found}. Install it: apt-get install ${name}`,
    );
  return found;
}

async function startMembers(
  postgres: Postgres,
  started: AsyncDisposableStack,
): Promise<[Member, ...Member[]]> {
  const database = await createTemporaryDatabase(postgres.url());
  const create = async (name: string): Promise<Member> => {
    const node = await DeployedNode.create(database.url, {
      TRUST_PROXY: '127.0.0.1',
      SOKU_METRICS_TOKEN: metricsToken,
      SOKU_WEBHOOK_ALLOW: '127.0.0.1',
      // As in production: tests have neither limit.
      SOKU_KEY_RATE_LIMIT: undefined,
      SOKU_ADDRESS_RATE_LIMIT: undefined,
    });
    started.defer(() => node.remove());
    return { name, node };
  };
  const first = await create('soku-1');
  const others = [await create('soku-2'), await create('soku-3')];
  // The first one creates the tables and the owner's account.
  await first.node.start();
  await Promise.all(others.map(({ node }) => node.start()));
  return [first, ...others];
}

/** Without a backup, an alert would fire all day. */
async function backUp({ node }: Member): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'soku-backup-'));
  const { DATABASE_URL = '' } = node.server.env;
  try {
    const { code, output } = await runOperator(['backup', join(folder, 'backup.db')], {
      dataDir: node.server.dataDir,
      env: { DATABASE_URL, SOKU_SECRET: testSecret },
    });
    if (code !== 0) throw new Error(`the backup failed: ${output}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns a key that may create and revoke the keys of a new workspace. Its revokes are sent to a webhook. */
async function createManager({ node }: Member, receiverUrl: string): Promise<string> {
  const owner = await openSession(node.server, await addAccount(node.server));
  const hook = await owner.call('POST', '/v1/webhooks', { url: receiverUrl, events: ['key.revoked'] });
  webhookWithSecretSchema.parse(hook.body);
  const { apiKey } = await owner.createKey({ name: 'Manager', scopes: ['keys:read', 'keys:write'] });
  return apiKey;
}
