import type { WorkspaceUsage } from '@soku/contract/usage';
import { ChartNumbers, ChartNumbersTable } from '../../components/ChartNumbers.tsx';
import { formatNumber } from '../../components/format-number.ts';
import { dayHours, formatHour } from './day.ts';

const title = 'Requests by hour';
const columns = ['Hour', 'Today', 'Rejected', 'Yesterday', 'Rejected yesterday'];

export function DayTable({ usage }: { usage: WorkspaceUsage }) {
  const hours = dayHours(usage).filter(
    ({ today, yesterday }) =>
      (today?.accepted ?? 0) + (today?.refused ?? 0) + yesterday.accepted + yesterday.refused > 0,
  );
  if (hours.length === 0) return null;
  return (
    <ChartNumbers title={title}>
      <ChartNumbersTable
        title={title}
        caption="Accepted and rejected requests. Hours without requests are omitted."
        columns={columns}
      >
        {hours.map((hour) => (
          <tr key={hour.from}>
            <th scope="row">{formatHour(hour)}</th>
            <td>{hour.today ? formatNumber(hour.today.accepted) : ''}</td>
            <td>{hour.today ? formatNumber(hour.today.refused) : ''}</td>
            <td>{formatNumber(hour.yesterday.accepted)}</td>
            <td>{formatNumber(hour.yesterday.refused)}</td>
          </tr>
        ))}
      </ChartNumbersTable>
    </ChartNumbers>
  );
}
