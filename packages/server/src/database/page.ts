/**
 * Cuts a page out of rows that were read with one more than the page has, which shows whether there is a next one.
 *
 * @param limit most rows of the page
 * @returns the cursor is the id of the last row; null when there is no next page
 */
export function cutPage<Row extends { id: string }>(
  rows: readonly Row[],
  limit: number,
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  return { page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
