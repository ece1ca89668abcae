/** Random changes of a key's policy, each with a use that it affects. */
import type { Random } from '../support/random.ts';
import { allAddresses, type KeyHistory } from './checker.ts';
import { ownAddress, type Requirements } from './clients.ts';
import type { Change } from './register.ts';
import { type AddressList, never } from './restrictions.ts';

/** A change of one field, for `PATCH /v1/api-keys/{id}`. */
export interface FieldChange {
  /** For the report. */
  kind: string;
  body: Readonly<Record<string, unknown>>;
  /** Records that the change is sent. */
  begin(sentAt: number): Change<unknown>;
  /** A use that it rejects or allows. */
  use: Requirements;
  /** Whether it removes a restriction. */
  widens: boolean;
  /** Epoch ms from which the API rejects the change, because the key would already have expired. */
  validUntil: number;
}

/** Clients by their canonical address, and how back ends write it. */
const writtenAddresses: Readonly<Record<string, readonly [string, ...string[]]>> = {
  [ownAddress]: [ownAddress, '::ffff:127.0.0.1'],
  '198.51.100.7': ['198.51.100.7', '::ffff:198.51.100.7', '::FFFF:c633:6407'],
  '2001:db8::7': ['2001:db8::7', '2001:DB8:0:0:0:0:0:7'],
};
const addresses = Object.keys(writtenAddresses);

const addressLists: readonly AddressList[] = [
  allAddresses,
  { allowedAddresses: ['127.0.0.1', '198.51.100.0/24'], includes: ['127.0.0.1', '198.51.100.7'] },
  { allowedAddresses: ['127.0.0.1', '2001:db8::/32'], includes: ['127.0.0.1', '2001:db8::7'] },
  { allowedAddresses: ['198.51.100.7', '2001:db8::7'], includes: ['198.51.100.7', '2001:db8::7'] },
];

/** Scopes that exist in every workspace. */
export const testScopes = ['keys:read', 'audit:read'];
const grants: readonly (readonly string[])[] = [[], ['keys:read'], ['audit:read'], testScopes];

/** ms from a change to the expiry that it sets: soon, but usually later than its response. */
const lifetimes = { min: 300, max: 1500 };

/** A use by a random client that requires random scopes. */
export function randomUse(random: Random): Requirements {
  return useFrom(random.pick(addresses), random.pick(grants), random);
}

/**
 * Changes of one or two fields, for one request. Most remove a restriction if there is one: of a key that is rejected for
 * several reasons, only the first one shows.
 */
export function randomChanges(history: KeyHistory, random: Random): FieldChange[] {
  return [changeDisabled, changeScopes, changeAddresses, changeExpiry]
    .map((change) => change(history, random))
    .map((change) => ({ change, at: random.next() - (change.widens ? 0.5 : 0) }))
    .sort((a, b) => a.at - b.at)
    .map(({ change }) => change)
    .slice(0, random.chance(0.2) ? 2 : 1);
}

function changeDisabled({ isDisabled }: KeyHistory): FieldChange {
  const disabled = !isDisabled.latest;
  return {
    kind: disabled ? 'disabled' : 'enabled',
    body: { disabled },
    begin: (at) => isDisabled.change(disabled, at),
    use: { scopes: [] },
    widens: !disabled,
    validUntil: never.to,
  };
}

function changeScopes({ scopes, addresses: list }: KeyHistory, random: Random): FieldChange {
  const before = scopes.latest;
  const after = another(grants, before, testScopes, random);
  const affected = testScopes.filter((scope) => before.includes(scope) !== after.includes(scope));
  const { allowedAddresses, includes } = list.latest;
  const address = random.pick(allowedAddresses.length === 0 ? addresses : includes);
  return {
    kind: 'scopes',
    body: { scopes: after },
    begin: (at) => scopes.change(after, at),
    use: useFrom(address, [random.pick(affected)], random),
    widens: after === testScopes,
    validUntil: never.to,
  };
}

function changeAddresses({ addresses: list }: KeyHistory, random: Random): FieldChange {
  const before = list.latest;
  const after = another(addressLists, before, allAddresses, random);
  const affected = addresses.filter((address) => isIncluded(before, address) !== isIncluded(after, address));
  return {
    kind: 'allowed addresses',
    body: { allowedAddresses: after.allowedAddresses },
    begin: (at) => list.change(after, at),
    use: useFrom(random.pick(affected), [], random),
    widens: after === allAddresses,
    validUntil: never.to,
  };
}

function changeExpiry({ expiresAt }: KeyHistory, random: Random): FieldChange {
  const sets = expiresAt.latest === never;
  const end = Date.now() + random.int(lifetimes.min, lifetimes.max);
  return {
    kind: sets ? 'expiry set' : 'expiry cleared',
    body: { expiresAt: sets ? new Date(end).toISOString() : null },
    begin: (at) => expiresAt.change(sets ? { from: end, to: end } : never, at),
    use: { scopes: [] },
    widens: !sets,
    validUntil: sets ? end : never.to,
  };
}

/** Another value, mostly the widest one. */
function another<T>(values: readonly T[], before: T, widest: T, random: Random): T {
  if (before !== widest && random.chance(0.6)) return widest;
  return random.pick(values.filter((value) => value !== before));
}

function isIncluded({ allowedAddresses, includes }: AddressList, address: string): boolean {
  return allowedAddresses.length === 0 || includes.includes(address);
}

/** A use from an address, by a proxy or by a back end. A proxy has only clients with our own address. */
function useFrom(canonical: string, scopes: readonly string[], random: Random): Requirements {
  if (canonical === ownAddress && random.chance(0.7)) return { scopes };
  return { ip: { canonical, sent: random.pick(writtenAddresses[canonical] ?? [canonical]) }, scopes };
}
