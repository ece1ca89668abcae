export function KeyManagementPage() {
  return null;
}
