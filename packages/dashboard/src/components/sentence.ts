/** "must not be empty", as the schemas say it, becomes "Must not be empty." for a person. */
export function sentence(problem: string): string {
  const text = problem.charAt(0).toUpperCase() + problem.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
