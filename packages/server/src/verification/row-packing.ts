import { CountsPacker, type PackedCounts } from '../usage/packed-counts.ts';
import * as column from './columns.ts';
import type { InternedStrings } from './interned-strings.ts';

/** Copies what rows without rejections have counted since they were last logged. */
export function packRows(
  rows: Int32Array,
  some: readonly number[],
  addresses: InternedStrings,
  agents: InternedStrings,
): PackedCounts {
  const packer = new CountsPacker(some.length);
  const clientAt = (at: number): number => {
    const [address, agent] = [rows[at + column.address] ?? 0, rows[at + column.agent] ?? 0];
    const known = packer.findClient(address, agent);
    return known ?? packer.addClient(address, agent, [addresses.text(address), agents.text(agent)]);
  };
  // A row can be listed twice, if its counts were moved in between.
  for (const row of new Set(some)) {
    const at = row * column.width;
    const flags = rows[at + column.flags] ?? 0;
    if ((flags & column.isUnlogged) === 0) continue;
    packer.addHash(rows, at + column.hash);
    packer.addUse({
      hour: rows[at + column.hour] ?? 0,
      accepted: (rows[at + column.accepted] ?? 0) - (rows[at + column.logged] ?? 0),
      lastMs: rows[at + column.lastMs] ?? -1,
      client: clientAt(at),
      changesLastUse: (flags & column.changesLastUse) !== 0,
    });
  }
  return packer.finish();
}
