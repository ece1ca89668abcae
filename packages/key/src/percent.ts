/** Percent-encoding, including text that was encoded more than once: `%5F`, `%255F`, `%25255F`. */

const encodedCharacter = /%(?:25)*([0-9A-Fa-f]{2})/g;

/** Decodes percent-encoded ASCII characters, however often they were encoded. Other bytes become Latin-1 characters. */
export function decodePercent(text: string): string {
  return text.replace(encodedCharacter, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
