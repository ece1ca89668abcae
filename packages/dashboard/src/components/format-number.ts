const compact = new Intl.NumberFormat('en', { notation: 'compact' });

/** "93,214" */
export function formatNumber(value: number): string {
  return value.toLocaleString('en');
}

/** "93K" */
export function formatCompact(value: number): string {
  return compact.format(value);
}
