/** Rotations of keys, and when they end the older secrets. */
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { SecretHistory } from './checker.ts';
import type { Clients, NodeClients } from './clients.ts';
import { newestOf, type PolicyKey, type PolicySecret } from './policy-keys.ts';
import type { Change } from './register.ts';
import {
  atOnce,
  clockToleranceMs,
  EndByFirstUse,
  earlier,
  type Period,
  type Uncertainty,
} from './restrictions.ts';

/** How a key is rotated. */
export interface Rotation {
  graceSeconds: number;
  startGrace: 'now' | 'firstUse';
}

/** The name of a rotation in reports. */
export function titleOf({ graceSeconds, startGrace }: Rotation): string {
  if (graceSeconds === 0) return 'rotated without a grace';
  return startGrace === 'now' ? 'rotated with a grace' : 'rotated with a grace from the first use';
}

/** An end that a rotation sets for an older secret. */
interface Ending {
  secret: PolicySecret;
  change: Change<Period>;
  /** The end of a grace that starts now. The response narrows it. */
  grace: { from: number; to: number };
}

/**
 * Rotates a key. No one else may change the key meanwhile.
 *
 * @returns whether the outcome is certain
 */
export async function rotate(
  clients: Clients,
  by: NodeClients,
  key: PolicyKey,
  rotation: Rotation,
  uncertainty: Uncertainty,
): Promise<boolean> {
  const { node } = by;
  const graceMs = rotation.graceSeconds * 1000;
  const firstUse = rotation.startGrace === 'firstUse' ? new EndByFirstUse(graceMs, uncertainty) : undefined;
  const earliest = node.clock.from + graceMs - uncertainty.clockMs;
  const sentAt = performance.now();
  key.rotations += 1;
  const endings = key.secrets.map((secret): Ending => {
    const grace = { from: earliest, to: Number.POSITIVE_INFINITY };
    const end = firstUse ?? (graceMs === 0 ? atOnce : grace);
    return { secret, grace, change: beginEnd(secret, end, sentAt) };
  });
  const call = { method: 'POST', path: `/v1/api-keys/${key.id}/rotate`, by: 'owner' } as const;
  const roundTrip = await clients.call(by, { ...call, body: JSON.stringify(rotation) });
  if (!clients.succeeded(201, roundTrip, 'a rotation', clients.outages)) return false;
  const { receivedAt } = roundTrip;
  const clock = node.clockDuring(roundTrip);
  for (const { grace, change } of endings) {
    Object.assign(grace, { from: clock.from + graceMs, to: clock.to + graceMs });
    change.completed(receivedAt);
  }
  const { apiKey, key: reported } = createdKeySchema.parse(JSON.parse(roundTrip.response.body));
  for (const ending of endings) checkReported(clients, ending, reported.secrets);
  // The first use of a secret also starts the graces of earlier rotations whose secrets were never used.
  const starts = [key.secrets.at(-1)?.history.starts ?? [], firstUse ?? []].flat();
  const history = new SecretHistory(key.history, receivedAt, starts);
  key.secrets.push({ id: key.id, apiKey, secretId: newestOf(reported).id, history });
  for (const secret of key.secrets) clients.probe(secret);
  clients.counts.changed(titleOf(rotation), receivedAt - roundTrip.sentAt);
  return true;
}

/** Retires an older secret of a key, if there is one. @returns whether the outcome is certain */
export async function retire(clients: Clients, by: NodeClients, key: PolicyKey): Promise<boolean> {
  const secret = key.secrets.at(-2);
  if (secret === undefined) return true;
  const change = beginEnd(secret, atOnce, performance.now());
  const path = `/v1/api-keys/${key.id}/secrets/${secret.secretId}/retire`;
  const roundTrip = await clients.call(by, { method: 'POST', path, by: 'owner' });
  if (!clients.succeeded(200, roundTrip, 'a retirement', clients.outages)) return false;
  keySchema.parse(JSON.parse(roundTrip.response.body));
  change.completed(roundTrip.receivedAt);
  for (const each of key.secrets) clients.probe(each);
  clients.counts.changed('secret retired', roundTrip.receivedAt - roundTrip.sentAt);
  return true;
}

/** No change ends a secret later than an earlier one. */
function beginEnd({ history }: PolicySecret, end: Period, sentAt: number): Change<Period> {
  return history.retiresAt.change(earlier(history.retiresAt.latest, end), sentAt);
}

/** Checks the end of an older secret in the response, which is exact. */
function checkReported(
  { counts }: Clients,
  { secret, grace, change: { value: expected } }: Ending,
  reported: readonly { id: string; retiresAt: string | null; retiredAt: string | null }[],
): void {
  const { secretId } = secret;
  const found = reported.find(({ id }) => id === secretId);
  const end = found?.retiredAt ?? found?.retiresAt;
  const at = typeof end === 'string' ? Date.parse(end) : Number.POSITIVE_INFINITY;
  // Those that have lapsed, or have just been retired, may end later than expected, but not earlier.
  const to = typeof found?.retiredAt === 'string' ? Number.POSITIVE_INFINITY : expected.to;
  if (found === undefined || at < expected.from - clockToleranceMs || at > to + clockToleranceMs)
    counts.addViolation(`${secretId} ends at ${end}, expected ${expected.from} to ${expected.to}`);
  if (at >= grace.from && at <= grace.to) Object.assign(grace, { from: at, to: at });
}
