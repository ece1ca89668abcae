/** Percent-encoding, also of text that was encoded more than once: `%5F`, `%255F`, `%25255F`. */

const encodedCharacter = /%(?:25)*([0-9A-Fa-f]{2})/g;

/** Undoes percent-encoding of ASCII characters, however often it was applied. Other bytes become Latin-1 characters. */
export function decodePercent(text: string): string {
  return text.replace(encodedCharacter, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
