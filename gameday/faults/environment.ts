import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { WebhookReceiver } from '../../test/support/webhook-receiver.ts';
import type { Fault } from '../fault.ts';
import type { GameDay } from '../game-day.ts';

const eventSchema = z.object({ target: z.object({ id: z.string() }) });

/** Faults of what surrounds the nodes. */
export const otherFaults: readonly Fault[] = [
  {
    name: 'restart-balancer',
    title: 'The load balancer is stopped, and started two seconds later',
    expected:
      'Clients get no response meanwhile, and no alert of Soku reports it, because the nodes work: watch the load balancer itself.',
    minMs: 0,
    alerts: {},
    mayFail: true,
    begin: async (day, say) => {
      say('stopping HAProxy');
      await day.balancer.stop();
      await after(2000);
      say('starting HAProxy');
      await day.restartBalancer();
      return {};
    },
  },
  {
    name: 'guesses',
    title: 'One address sends 150 wrong keys per second',
    expected:
      'After 60 guesses in a minute at each node, that address gets 429. All other clients are served as before.',
    minMs: 8000,
    alerts: { SokuRejectionsHigh: 'pending' },
    mayFail: false,
    begin: ({ traffic }, say) => {
      say('203.0.113.66 begins to guess');
      traffic.isGuessing = true;
      return {
        end: () => {
          traffic.isGuessing = false;
          say('203.0.113.66 gives up');
        },
      };
    },
  },
  {
    name: 'webhook-down',
    title: 'The receiver of a webhook is down for three seconds',
    expected:
      'Clients are not affected. The events are sent again after 5 seconds (then after 5 minutes, and so on for three days), so none is lost.',
    minMs: 3000,
    alerts: {},
    mayFail: false,
    begin: async (day, say) => {
      const { port } = new URL(day.receiver.url);
      const revoked = new Set(day.traffic.revokedIds);
      say('the receiver of key.revoked is down');
      await day.receiver.close();
      let missed: string[] = [];
      return {
        end: async () => {
          missed = day.traffic.revokedIds.filter((id) => !revoked.has(id));
          day.receiver = await WebhookReceiver.start(Number(port));
          say(`the receiver is up again; it missed the revokes of ${missed.length} keys`);
        },
        isOver: () => missed.every((id) => receivedIds(day).has(id)),
        notes: () => {
          const late = missed.filter((id) => receivedIds(day).has(id)).length;
          return [`webhook: ${missed.length} events while it was down, of which ${late} arrived afterwards`];
        },
      };
    },
  },
];

function receivedIds({ receiver }: GameDay): Set<string> {
  return new Set(receiver.received.map(({ payload }) => eventSchema.parse(payload.data).target.id));
}
