/** The code of an error of the system or of a database driver, such as ENOENT or 40P01; '' without one. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
