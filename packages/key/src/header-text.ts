/** Restores text from an HTTP header to the form in which its sender saw it. */

/**
 * HTTP clients such as curl send headers in UTF-8, but Node reads every byte of a header as one character (Latin-1),
 * so an ellipsis arrives as three characters. This function reverses that.
 * @returns the text as it was sent; unchanged unless it is UTF-8 that was read as Latin-1
 */
export function decodeHeaderText(text: string): string {
  let hasUpper = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return text;
    if (code > 127) hasUpper = true;
  }
  if (!hasUpper) return text;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}

const quotes: ReadonlySet<string> = new Set('"\'`\u2018\u2019\u201c\u201d\u00ab\u00bb');

/** Removes whitespace and quotes from both ends. It uses a loop because `[...]+$` is quadratic on many quotes. */
export function trimQuotes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWrapping(text.charAt(start))) start++;
  while (end > start && isWrapping(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWrapping(character: string): boolean {
  return quotes.has(character) || character.trim() === '';
}

/** The number of code points, which is how a person counts characters. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
