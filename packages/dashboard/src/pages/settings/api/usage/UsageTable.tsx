import type { UsageRange } from '../../../../api/usage.ts';
import { formatSlot, rangeLabels, type Slot } from './slots.ts';

/** The numbers of the chart as a table, for reading and copying. */
export function UsageTable({ slots, range }: { slots: Slot[]; range: UsageRange }) {
  const used = slots.filter(({ accepted, refused }) => accepted + refused > 0).reverse();
  const unit = range === '30d' ? 'day' : 'hour';
  return (
    <details className="numbers">
      <summary>{`Requests by ${unit}`}</summary>
      {used.length === 0 ? (
        <p className="numbers__none">{`No requests in the last ${rangeLabels[range]}.`}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable element must be reachable with the keyboard
        <section className="numbers__scroll" tabIndex={0} aria-label={`Requests by ${unit}`}>
          <table>
            <caption>{`Newest first. ${unit === 'day' ? 'Days' : 'Hours'} without requests are omitted.`}</caption>
            <thead>
              <tr>
                <th scope="col">{unit === 'day' ? 'Day' : 'Hour'}</th>
                <th scope="col">Accepted</th>
                <th scope="col">Rejected</th>
              </tr>
            </thead>
            <tbody>
              {used.map((slot) => (
                <tr key={slot.from}>
                  <th scope="row">{formatSlot(slot, range)}</th>
                  <td>{slot.accepted.toLocaleString('en')}</td>
                  <td>{slot.refused.toLocaleString('en')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
