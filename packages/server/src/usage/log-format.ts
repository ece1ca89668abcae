import { z } from 'zod';
import { cleanUserAgent } from '../http/user-agent.ts';
import { emptyPackedCounts, type PackedCounts, unpackCounts } from './packed-counts.ts';
import type { SecretCounts } from './pending-uses.ts';
import { countRejections, noRejections, type Rejections } from './rejection-counts.ts';

/** What is appended to the log at once: what was counted since it was last appended. */
export interface LogBatch {
  packed?: PackedCounts;
  counts?: readonly Readonly<SecretCounts>[];
}

/** Counts as the log contains them. */
export type LoggedCounts = Omit<SecretCounts, 'keyId' | 'workspaceId'>;

/** The counts of one row of the log. */
export interface LogRow {
  counts: LoggedCounts[];
  /** Whether the counts replace those of the same secret and hour in earlier rows, as in rows of an earlier version. */
  areTotals: boolean;
}

/** Rows are JSON. */
const rowSchema = z.object({
  /** Address and user agent. */
  clients: z.array(z.tuple([z.string(), z.string()])),
  /** PackedCounts in Base64. An earlier version has none, and its counts are totals. */
  packed: z.base64().optional(),
  /**
   * SHA-256 in Base64, epoch hour, accepted, rejected by code (or only their number, from an earlier version), ms of
   * the last accepted use, index of its client, changesLastUse.
   */
  uses: z.array(
    z.tuple([
      z.base64(),
      z.int(),
      z.int(),
      z.union([z.int(), z.record(z.string(), z.int())]),
      z.int(),
      z.int(),
      z.boolean(),
    ]),
  ),
});

/** The text of a row. */
export function formatLogRow({ packed = emptyPackedCounts, counts = [] }: LogBatch): string {
  const clients: [string, string][] = packed.clients.map(([address, agent]) => [
    address,
    cleanUserAgent(agent),
  ]);
  const indexes = new Map<string, number>();
  const indexOf = ({ address, agent }: Readonly<SecretCounts>): number => {
    const client = `${address} ${agent}`;
    const known = indexes.get(client);
    if (known !== undefined) return known;
    indexes.set(client, clients.length);
    return clients.push([address, cleanUserAgent(agent)]) - 1;
  };
  const uses = counts.map((one) => [
    Buffer.from(one.hash, 'latin1').toString('base64'),
    one.hour,
    one.accepted,
    one.refused === 0 ? 0 : one.refusedBy,
    one.lastMs,
    indexOf(one),
    one.changesLastUse,
  ]);
  const { buffer, byteOffset, byteLength } = packed.records;
  return JSON.stringify({
    clients,
    packed: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    uses,
  });
}

/** @returns undefined if the row was changed by hand */
export function parseLogRow(text: string): LogRow | undefined {
  const row = rowSchema.safeParse(parseJson(text));
  if (!row.success) return undefined;
  const { clients, packed, uses } = row.data;
  const clientOf = (index: number) => {
    const [address, agent] = clients[index] ?? ['', ''];
    return { address, agent };
  };
  const counts = uses.map(([hash, hour, accepted, rejected, lastMs, index, changesLastUse]) => {
    const refusedBy = rejectionsOf(rejected);
    return {
      hash: Buffer.from(hash, 'base64').toString('latin1'),
      ...{ hour, accepted, refused: countRejections(refusedBy), refusedBy },
      ...{ lastMs, ...clientOf(index), changesLastUse },
    };
  });
  const unpacked = Array.from(unpackCounts(numbersIn(packed ?? '')), ({ client, ...one }) => ({
    ...one,
    ...clientOf(client),
    refused: 0,
    refusedBy: noRejections,
  }));
  return { counts: [...unpacked, ...counts], areTotals: packed === undefined };
}

function numbersIn(base64: string): Int32Array {
  const bytes = Buffer.from(base64, 'base64');
  const numbers = new Int32Array(bytes.length >> 2);
  new Uint8Array(numbers.buffer).set(bytes.subarray(0, numbers.byteLength));
  return numbers;
}

function rejectionsOf(rejected: number | Rejections): Rejections {
  if (typeof rejected !== 'number') return rejected;
  return rejected === 0 ? noRejections : { other: rejected };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
