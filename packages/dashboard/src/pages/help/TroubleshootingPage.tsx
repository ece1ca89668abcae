export function TroubleshootingPage() {
  return null;
}
