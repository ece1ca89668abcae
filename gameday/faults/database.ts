import type { Fault } from '../fault.ts';

/** ms in one direction; a round trip takes twice as long. */
const delayMs = 100;

/** Faults of PostgreSQL and of the network to it. */
export const databaseFaults: readonly Fault[] = [
  {
    name: 'restart-database',
    title: 'PostgreSQL is restarted (fast shutdown, then started at once)',
    expected:
      'Keys in the cache are verified until PostgreSQL is back. Then every key waits, for at most 1.5 s, until each node has compared its revocation journal. Creations and revokes fail, or their outcome is unknown: they are repeated.',
    minMs: 0,
    alerts: {},
    mayFail: true,
    begin: async ({ postgres }, say) => {
      say('stopping PostgreSQL');
      await postgres.shutDown();
      say('starting PostgreSQL');
      await postgres.start();
      return {};
    },
  },
  {
    name: 'crash-database',
    title: 'PostgreSQL crashes (kill -9 of all its processes) and stays down',
    expected:
      'Keys are verified from the caches for at most 1.8 s. Then every request gets 503, and nothing is accepted, until PostgreSQL is back.',
    minMs: 6000,
    alerts: { SokuNoLease: 'firing', SokuVerificationUnavailable: 'firing', SokuWritesFailing: 'firing' },
    mayFail: true,
    begin: async ({ postgres }, say) => {
      say('kill -9 of all processes of PostgreSQL');
      await postgres.crash();
      return {
        end: async () => {
          say('starting PostgreSQL');
          await postgres.start();
        },
      };
    },
  },
  {
    name: 'slow-database',
    title: `PostgreSQL responds slowly (${2 * delayMs} ms more for each round trip)`,
    expected:
      'Verifications stay fast, because they do not need PostgreSQL. Creations and revokes take seconds.',
    minMs: 10_000,
    alerts: { SokuRevokesSlow: 'pending' },
    mayFail: false,
    begin: ({ members }, say) => {
      const delay = (ms: number) => {
        for (const { node } of members) {
          node.network.toServer.delay(ms);
          node.network.toClient.delay(ms);
        }
      };
      say(`delaying everything between the nodes and PostgreSQL by ${delayMs} ms in each direction`);
      delay(delayMs);
      return {
        end: () => {
          say('PostgreSQL is fast again');
          delay(0);
        },
      };
    },
  },
];
