/** The host of a deployment, and its path if it has one, such as `keys.example.com` or `example.com/soku`. */
export function hostOf(publicUrl: string): string {
  return publicUrl.slice(publicUrl.indexOf('//') + 2);
}
