/** The host of a deployment, such as `keys.example.com`. */
export function hostOf(publicUrl: string): string {
  return new URL(publicUrl).host;
}
