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
 * Adds counts to the days and the rejections of their keys, and to the days and totals of their workspaces, in SQLite. The
 * rows of workspaces are written at the end, because most counts of a transaction are of few workspaces.
 */
export class SqliteTotalsWriter {
  readonly #connection: DatabaseSync;
  readonly #days: SqliteDayWriter;
  readonly #totals = new Map<string, Total>();
  /** Most writes contain no rejections. */
  #rejection: StatementSync | undefined;

  /** @param connection in the transaction that writes the counts */
  constructor(connection: DatabaseSync) {
    this.#connection = connection;
    this.#days = new SqliteDayWriter(connection);
  }

  /** Writes the rows of a key. */
  add(counts: Readonly<SecretCounts>): void {
    const { hour, workspaceId, keyId, accepted, refusedBy } = counts;
    this.#days.addAccepted(counts);
    if (accepted > 0) this.#addTotal(hour, workspaceId, 'accepted', accepted);
    for (const [code, requests] of Object.entries(refusedBy)) {
      this.#rejection ??= this.#connection.prepare(addRejection);
      this.#rejection.run(hour, workspaceId, keyId, code, requests);
      this.#days.add({ hour, owner: keyId, outcome: code, requests });
      this.#addTotal(hour, workspaceId, code, requests);
    }
  }

  #addTotal(hour: number, workspaceId: string, outcome: string, requests: number): void {
    const place = `${hour} ${workspaceId} ${outcome}`;
    const total = this.#totals.get(place);
    if (total === undefined) this.#totals.set(place, { hour, workspaceId, outcome, requests });
    else total.requests += requests;
  }

  /** Writes the rows of the workspaces. */
  end(): void {
    const total = this.#connection.prepare(addTotal);
    for (const { hour, workspaceId, outcome, requests } of this.#totals.values()) {
      total.run(hour, workspaceId, outcome, requests);
      this.#days.add({ hour, owner: workspaceId, outcome, requests });
    }
  }
}
