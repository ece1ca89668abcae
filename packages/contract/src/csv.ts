/** CSV files (RFC 4180) that people open with a spreadsheet. */

/** A line with its end. */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

/**
 * Spreadsheets run a text as a formula if it begins with one of these characters, some of them also after spaces or in full
 * width. Others choose parts of our texts, so an apostrophe precedes them. Some spreadsheets also split at a semicolon or a
 * tab. (OWASP: CSV injection)
 */
const formula = /(?<=^|[;\t\r\n])(?=[^\S\t\r\n]*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20])/g;

function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = value.replace(formula, "'");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
