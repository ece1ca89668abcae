/** "must not be empty", as the schemas say it, becomes "Must not be empty." for a person. */
export function sentence(problem: string): string {
  const text = capital(problem);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** With a capital at its beginning. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
