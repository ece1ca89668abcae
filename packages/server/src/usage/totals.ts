import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SqliteDayWriter } from './day-rows.ts';
import type { SecretCounts } from './pending-uses.ts';

/** What counts add to a row of `usage_total`. */
interface Total {
  /** Epoch hours. */
  hour: number;
  workspaceId: string;
  /** 'accepted', or the code of a rejection. */
  outcome: string;
  requests: number;
}

const addTotal = `
  INSERT INTO usage_total (hour, workspace_id, outcome, requests) VALUES (?, ?, ?, ?)
  ON CONFLICT (hour, workspace_id, outcome) DO UPDATE SET requests = usage_total.requests + excluded.requests`;

const addRejection = `
  INSERT INTO usage_refusal (hour, workspace_id, key_id, code, requests) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (hour, workspace_id, key_id, code) DO UPDATE SET requests = usage_refusal.requests + excluded.requests`;

/**
 * Adds counts to the totals of their workspaces, to the rejections of their keys, and to the days of both, in SQLite. Most counts are of few
 * workspaces, so a transaction changes few rows of totals.
 *
 * @param connection in the transaction that writes the counts
 */
export function writeTotals(connection: DatabaseSync, counts: readonly Readonly<SecretCounts>[]): void {
  const total = connection.prepare(addTotal);
  const days = new SqliteDayWriter(connection);
  for (const { hour, workspaceId, outcome, requests } of totalsOf(counts)) {
    total.run(hour, workspaceId, outcome, requests);
    days.add({ hour, owner: workspaceId, outcome, requests });
  }
  // Most writes contain no rejections.
  let rejection: StatementSync | undefined;
  for (const one of counts) {
    const { hour, workspaceId, keyId, refusedBy } = one;
    days.addAccepted(one);
    for (const [code, requests] of Object.entries(refusedBy)) {
      rejection ??= connection.prepare(addRejection);
      rejection.run(hour, workspaceId, keyId, code, requests);
      days.add({ hour, owner: keyId, outcome: code, requests });
    }
  }
}

function totalsOf(counts: readonly Readonly<SecretCounts>[]): Iterable<Total> {
  const totals = new Map<string, Total>();
  const add = (hour: number, workspaceId: string, outcome: string, requests: number) => {
    const place = `${hour} ${workspaceId} ${outcome}`;
    const total = totals.get(place);
    if (total === undefined) totals.set(place, { hour, workspaceId, outcome, requests });
    else total.requests += requests;
  };
  for (const { hour, workspaceId, accepted, refusedBy } of counts) {
    if (accepted > 0) add(hour, workspaceId, 'accepted', accepted);
    for (const [code, requests] of Object.entries(refusedBy)) add(hour, workspaceId, code, requests);
  }
  return totals.values();
}
