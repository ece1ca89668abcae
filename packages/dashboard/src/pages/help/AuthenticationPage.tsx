export function AuthenticationPage() {
  return null;
}
