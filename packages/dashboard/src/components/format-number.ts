const compact = new Intl.NumberFormat('en', { notation: 'compact' });
// Cuts off the rest, because 999,999 keys are not yet "1M".
const brief = new Intl.NumberFormat('en', { notation: 'compact', roundingMode: 'trunc' });

/** "93,214" */
export function formatNumber(value: number): string {
  return value.toLocaleString('en');
}

/** "93K" */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** "9,321", or "93K" from 10,000 on: never wider than "9,999" */
export function formatBrief(value: number): string {
  return value < 10_000 ? formatNumber(value) : brief.format(value);
}
