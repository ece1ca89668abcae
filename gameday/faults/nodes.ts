import { setTimeout as after } from 'node:timers/promises';
import { limitFileSize } from '../../test/support/bad-disk.ts';
import { call } from '../../test/support/person.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../game-day.ts';

/** Faults of nodes and of their network. */
export const nodeFaults: readonly Fault[] = [
  {
    name: 'rolling-restart',
    title: 'All nodes are restarted, one after the other (SIGTERM)',
    expected:
      'An update in three steps. No request is lost and no revoke waits: a node that stops reports it first, and HAProxy uses the others.',
    minMs: 0,
    alerts: {},
    mayFail: false,
    begin: async ({ members }, say) => {
      for (const { name, node } of members) {
        say(`SIGTERM to ${name}`);
        await node.server.kill('SIGTERM');
        await node.start();
        await isReady({ name, node });
        say(`${name} is ready again`);
      }
      return {};
    },
  },
  {
    name: 'kill-node',
    title: 'A node is killed (kill -9)',
    expected:
      'Requests that it is handling get no response. HAProxy then uses the other nodes. Revokes wait at most 2.2 s, until its lease is over.',
    minMs: 5000,
    alerts: { SokuDown: 'firing', SokuNodeSilent: 'firing' },
    mayFail: true,
    begin: async ({ members: [, second] }, say) => {
      if (second === undefined) throw new Error('there is no second node');
      say(`kill -9 of ${second.name}`);
      await second.node.server.kill('SIGKILL');
      return {
        end: async () => {
          say(`starting ${second.name}`);
          await second.node.start();
        },
      };
    },
  },
  {
    name: 'freeze-node',
    title: 'A node is frozen (SIGSTOP) for longer than its lease',
    expected:
      'Requests that it is handling wait until it resumes; others go elsewhere. When it resumes, its lease is over, so it accepts nothing from its cache that was revoked meanwhile.',
    minMs: 6000,
    alerts: { SokuDown: 'firing', SokuNodeSilent: 'firing' },
    mayFail: true,
    begin: (day, say) => {
      const { name, node } = day.member(2);
      say(`SIGSTOP of ${name}`);
      process.kill(node.server.pid, 'SIGSTOP');
      return {
        end: () => {
          say(`SIGCONT of ${name}`);
          process.kill(node.server.pid, 'SIGCONT');
        },
      };
    },
  },
  {
    name: 'cut-off-node',
    title: 'A node is cut off from PostgreSQL (its network drops everything)',
    expected:
      'It verifies from its cache for at most 1.8 s, then it returns 503 and reports at /readyz that it has no lease. HAProxy then uses the other nodes. Revokes wait at most 2.2 s.',
    minMs: 6000,
    alerts: { SokuNoLease: 'firing', SokuNodeSilent: 'firing' },
    mayFail: true,
    begin: (day, say) => {
      const { name, node } = day.member(0);
      say(`dropping all traffic between ${name} and PostgreSQL`);
      node.network.blackhole();
      return {
        end: () => {
          say(`the network of ${name} works again`);
          node.network.heal();
        },
      };
    },
  },
  {
    name: 'broken-disk',
    title: 'The disk of a node fails every write',
    expected:
      'Verifications are not affected. Revokes through this node return 503 storage_unavailable, because it cannot write its revocation journal: they are repeated until another node confirms them.',
    minMs: 5000,
    alerts: { SokuJournalNotWritten: 'firing' },
    mayFail: true,
    begin: (day, say) => {
      const { name, node } = day.member(1);
      const { server } = node;
      say(`every write of ${name} to a file fails`);
      limitFileSize(server, '0');
      return {
        end: () => {
          say(`the disk of ${name} works again`);
          limitFileSize(server, 'unlimited');
        },
      };
    },
  },
];

/** Waits as an operator does before the next restart. */
async function isReady({ node }: Member): Promise<void> {
  while ((await call(`${node.url}/readyz`)).status !== 200) await after(50);
}
