import './ChartNumbers.css';
import { ColumnHeads } from './ColumnHeads.tsx';
import type { Elements } from './elements.ts';

/** The numbers of a chart, for reading and copying, behind their title. */
export function ChartNumbers({ title, children }: { title: string; children: Elements }) {
  return (
    <details className="numbers">
      <summary>{title}</summary>
      {children}
    </details>
  );
}

interface ChartNumbersTableProps {
  /** The name for screen readers. */
  title: string;
  caption: string;
  columns: string[];
  /** The rows. */
  children: Elements;
}

export function ChartNumbersTable({ title, caption, columns, children }: ChartNumbersTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable element must be reachable with the keyboard
    <section className="numbers__scroll" tabIndex={0} aria-label={title}>
      <table>
        <caption>{caption}</caption>
        <ColumnHeads columns={columns} />
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
