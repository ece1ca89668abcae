/**
 * Cuts a page out of rows that include one more than the page, which shows whether there is a next page.
 *
 * @param limit maximum rows of the page
 * @returns the page, and as cursor the ID of its last row, or null when there is no next page
 */
export function paginate<Row extends { id: string }>(
  rows: readonly Row[],
  limit: number,
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  return { page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
