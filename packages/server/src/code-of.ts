/** What the system, SQLite's or PostgreSQL's driver calls a failure: ENOENT, 40P01. '' when it has no code. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
