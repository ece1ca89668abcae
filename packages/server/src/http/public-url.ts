/** The path of SOKU_PUBLIC_URL, such as /soku; '' if the dashboard is at the root of its host. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '');
}
