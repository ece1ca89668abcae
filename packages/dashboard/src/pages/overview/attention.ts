/** What needs attention, most urgent first. Each item has one action. */
import type { ListedKey } from '@soku/contract/keys';
import type { RankedKey, WorkspaceUsage } from '@soku/contract/usage';
import type { LinkProps } from '@tanstack/react-router';
import {
  type Attention,
  type AttentionLists,
  expiringWithinDays,
  type OpenLeak,
  unusedForDays,
  unusedKind,
} from '../../api/overview.ts';
import { formatNumber } from '../../components/format-number.ts';
import { formatDay, relativeTime } from '../../dates/dates.ts';
import { rotationOf } from '../settings/api/rotation/rotation.ts';
import { formatClock } from './day.ts';
import { reasonsOf } from './reasons.ts';

export interface AttentionItem {
  id: string;
  kind: 'leaked' | 'rejected' | 'unfinished' | 'expiring' | 'unused';
  /** The key that the item is about, whose name precedes the title. */
  name?: string;
  title: string;
  text: string;
  action: string;
  link: Pick<LinkProps, 'to' | 'params' | 'search' | 'hash'>;
}

/** The error code with which a key of each status is rejected. */
const codesOfStatus = { disabled: 'disabled_key', expired: 'expired_key', revoked: 'revoked_key' } as const;

/** A key is listed as rejected from this number of rejected requests, and from this share of all its requests. */
const minRejected = 20;
const minRejectedShare = 0.1;

export function attentionItems(
  usage: WorkspaceUsage | undefined,
  lists: AttentionLists | undefined,
): AttentionItem[] {
  return [
    ...(lists?.leaked.map(leakedItem) ?? []),
    ...(usage?.mostRefused.flatMap(rejectedItem).slice(0, 3) ?? []),
    ...(lists?.rotating.filter(isUnfinished).slice(0, 3).map(unfinishedItem) ?? []),
    ...(lists ? [...lists.expiring.keys.map(expiringItem), ...moreExpiring(lists.expiring)] : []),
    ...(lists ? unusedItem(lists.unused) : []),
  ];
}

const countRequests = (count: number, noun = 'request') =>
  `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;

function rejectedItem({ key, accepted, refused, refusedBy }: RankedKey): AttentionItem[] {
  const item = { id: `rejected ${key.id}`, kind: 'rejected' as const, name: key.name };
  const open = {
    action: 'Open key',
    link: { to: '/settings/api/$keyId' as const, params: { keyId: key.id } },
  };
  if (key.status !== 'active') {
    // Requests that were rejected for another reason came before the key had this status.
    const since = refusedBy[codesOfStatus[key.status]] ?? 0;
    if (since === 0) return [];
    const text = `${countRequests(since, 'rejected request')} in the last 24 hours. Find the program that sends it.`;
    return [{ ...item, title: `is ${key.status} but still used`, text, ...open }];
  }
  const retired = refusedBy.revoked_key ?? 0;
  if (retired > 0) {
    const text = `${countRequests(retired, 'rejected request')} in the last 24 hours. A program still sends the old secret.`;
    const link = { ...open.link, search: { tab: 'secrets' as const } };
    return [{ ...item, title: 'is still used with a retired secret', text, ...open, link }];
  }
  if (refused < minRejected || refused < minRejectedShare * (accepted + refused)) return [];
  const [reason] = reasonsOf(refusedBy);
  return [
    {
      ...item,
      title: 'is rejected',
      text: `${formatNumber(refused)} of ${formatNumber(accepted + refused)} requests in the last 24 hours. Most frequent reason: ${(reason?.name ?? 'unknown').toLowerCase()}.`,
      action: 'See why',
      link: { to: '/help/api-troubleshooting', ...(reason?.code ? { hash: reason.code } : {}) },
    },
  ];
}

function leakedItem({ key: { id, name, status }, at }: OpenLeak): AttentionItem {
  const consequence =
    status === 'disabled'
      ? 'It is disabled now. Rotate or revoke it before you enable it again.'
      : 'It is still accepted. Rotate or revoke it.';
  return {
    id: `leaked ${id}`,
    kind: 'leaked',
    name,
    title: 'has leaked',
    text: `GitHub reported it ${relativeTime(at)}. ${consequence}`,
    action: 'Open key',
    link: { to: '/settings/api/$keyId', params: { keyId: id } },
  };
}

/** Whether no program uses the newest secret, although an older one will soon be rejected. */
function isUnfinished(key: ListedKey): boolean {
  return rotationOf(key, Date.now())?.isUnfinished === true;
}

function unfinishedItem({ id, name, secrets }: ListedKey): AttentionItem {
  const [newest] = secrets;
  const rotated = newest ? `Rotated ${relativeTime(newest.createdAt)}, but` : 'Rotated, but';
  return {
    id: `unfinished ${id}`,
    kind: 'unfinished',
    name,
    title: 'has an unfinished rotation',
    text: `${rotated} no program uses the new secret yet.`,
    action: 'Open key',
    link: { to: '/settings/api/$keyId', params: { keyId: id }, search: { tab: 'secrets' } },
  };
}

function expiringItem({ id, name, expiresAt, usage }: ListedKey): AttentionItem {
  const at = expiresAt ?? '';
  const requests = usage?.accepted ?? 0;
  return {
    id: `expiring ${id}`,
    kind: 'expiring',
    name,
    title: `expires ${relativeTime(at)}`,
    text: `${formatDay(at)}, ${formatClock(Date.parse(at))}. ${requests === 0 ? 'Not used' : countRequests(requests)} in the last 24 hours.`,
    action: 'Open key',
    link: { to: '/settings/api/$keyId', params: { keyId: id } },
  };
}

function moreExpiring({ keys, count }: Attention): AttentionItem[] {
  const more = count - keys.length;
  if (more <= 0) return [];
  return [
    {
      id: 'more expiring',
      kind: 'expiring',
      title: more === 1 ? '1 more key expires' : `${formatNumber(more)} more keys expire`,
      text: `Within ${expiringWithinDays} days.`,
      action: 'Review',
      link: {
        to: '/settings/api',
        search: { expiresWithinDays: expiringWithinDays, sort: 'expires', order: 'asc' },
      },
    },
  ];
}

function unusedItem({ keys, count }: AttentionLists['unused']): AttentionItem[] {
  if (count === 0) return [];
  const names = keys.map(({ name }) => name).join(', ');
  const more = count - keys.length;
  return [
    {
      id: 'unused',
      kind: 'unused',
      title:
        count === 1
          ? `1 key unused for ${unusedForDays} days`
          : `${formatNumber(count)} keys unused for ${unusedForDays} days`,
      text: more > 0 ? `${names} and ${formatNumber(more)} more.` : `${names}.`,
      action: 'Review',
      link: { to: '/settings/api/hygiene', search: { kind: unusedKind } },
    },
  ];
}
