import type { UsageRange } from '../../../../api/usage-history.ts';
import { ChartNumbers, ChartNumbersTable } from '../../../../components/ChartNumbers.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { formatSlot, rangeLabels, type Slot, unitOf } from './slots.ts';

export function UsageTable({ slots, range, zone }: { slots: Slot[]; range: UsageRange; zone: string }) {
  const used = slots.filter(({ accepted, refused }) => accepted + refused > 0).reverse();
  const unit = unitOf(range);
  const title = `Requests by ${unit}`;
  return (
    <ChartNumbers title={title}>
      {used.length === 0 ? (
        <p>{`No requests in the last ${rangeLabels[range]}.`}</p>
      ) : (
        <ChartNumbersTable
          title={title}
          caption={`Newest first. ${unit === 'day' ? 'Days' : 'Hours'} without requests are omitted.`}
          columns={[unit === 'day' ? 'Day' : 'Hour', 'Accepted', 'Rejected']}
        >
          {used.map((slot) => (
            <tr key={slot.from}>
              <th scope="row">{formatSlot(slot, range, zone)}</th>
              <td>{formatNumber(slot.accepted)}</td>
              <td>{formatNumber(slot.refused)}</td>
            </tr>
          ))}
        </ChartNumbersTable>
      )}
    </ChartNumbers>
  );
}
