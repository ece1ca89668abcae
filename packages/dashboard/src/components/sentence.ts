/** Turns a problem from a schema, such as "must not be empty", into a sentence: "Must not be empty." */
export function toSentence(problem: string): string {
  const text = capitalize(problem);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Capitalizes the first character. */
export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
