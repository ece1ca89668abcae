/** The host of a deployment, such as `keys.example.com`, by which people recognize it. */
export function hostOf(publicUrl: string): string {
  return new URL(publicUrl).host;
}
