import type { WorkspaceUsage } from '@soku/contract/usage';
import { dayHours, formatHour } from './day.ts';

const number = (value: number) => value.toLocaleString('en');

/** The numbers of the chart, for reading and copying. */
export function DayTable({ usage }: { usage: WorkspaceUsage }) {
  const hours = dayHours(usage).filter(
    ({ today, yesterday }) =>
      (today?.accepted ?? 0) + (today?.refused ?? 0) + yesterday.accepted + yesterday.refused > 0,
  );
  if (hours.length === 0) return null;
  return (
    <details className="numbers">
      <summary>Requests by hour</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable element must be reachable with the keyboard */}
      <section className="numbers__scroll" tabIndex={0} aria-label="Requests by hour">
        <table>
          <caption>Accepted and rejected requests. Hours without requests are omitted.</caption>
          <thead>
            <tr>
              <th scope="col">Hour</th>
              <th scope="col">Today</th>
              <th scope="col">Rejected</th>
              <th scope="col">Yesterday</th>
              <th scope="col">Rejected yesterday</th>
            </tr>
          </thead>
          <tbody>
            {hours.map((hour) => (
              <tr key={hour.from}>
                <th scope="row">{formatHour(hour)}</th>
                <td>{hour.today ? number(hour.today.accepted) : ''}</td>
                <td>{hour.today ? number(hour.today.refused) : ''}</td>
                <td>{number(hour.yesterday.accepted)}</td>
                <td>{number(hour.yesterday.refused)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
