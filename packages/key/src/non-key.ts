/**
 * Recognizes text that people send instead of a key. The messages are fixed: they repeat no part of the text.
 * Every pattern reads the text once.
 */

/** What programs write for a missing value, or for one that is not a string. */
const missingValues: ReadonlySet<string> = new Set(
  'undefined null none nil nan true false [object object] [object promise]'.match(/\[[^\]]+\]|\S+/g),
);

/** Words that examples use in place of the key. A placeholder contains only such words. */
const placeholderWords: ReadonlySet<string> = new Set(
  `a access add an api apikey auth bearer change changeme demo dummy enter example fake full goes hash here
  hidden insert is key live my mykey new of paste placeholder prod production put redacted removed replace
  replaceme real sample secret server some test text the this todo token use value with x xx xxx xxxx
  your yourapikey yourkey yours yoursecret me`.match(/\w+/g),
);

/** Longer text is not a placeholder. The bound keeps splitting cheap. */
const maxPlaceholderLength = 80;

const unexpanded =
  'This is the name of a variable, not its value. In a shell, use double quotes instead of single quotes. Elsewhere, check how the program or template reads variables.';

const hints: readonly { fits: (text: string) => boolean; message: string }[] = [
  {
    fits: (text) => text === '',
    message: 'The key is empty. Check that the variable that should contain it is set.',
  },
  {
    fits: (text) => missingValues.has(text.toLowerCase()),
    message:
      'This is what a program writes for a missing value or an object, not a key. Check that the variable for the key is set and is a string.',
  },
  {
    fits: isVariableReference,
    message: unexpanded,
  },
  {
    fits: (text) => /^key_[0-9a-z]{26}$/.test(text),
    message:
      'This is the id of a key, not the key. The id is public and grants no access: send the key itself.',
  },
  {
    fits: (text) => /^eyJ[\w-]*\.[\w.-]*$/.test(text),
    message: 'This is a JSON Web Token, not an API key. Create a key in the dashboard and send that.',
  },
  {
    fits: (text) => /^[a-z][a-z0-9+.-]{0,20}:\/\//i.test(text),
    message:
      'This is a URL, not a key. Send only the key; the URL belongs in the configuration of the client.',
  },
  {
    fits: isPlaceholder,
    message: 'This is a placeholder from an example, not a key. Replace it with your own key.',
  },
  { fits: (text) => /^[A-Z][A-Z_]*_KEY$/.test(text), message: unexpanded },
  {
    fits: (text) => /^(?:authorization\b|bearer\b|basic\b)/i.test(text),
    message: 'This text starts with the name of a header or scheme. Send only the key here.',
  },
];

/**
 * Explains what a text is instead of a key.
 * @param text without surrounding whitespace and quotes
 * @returns the message for the sender, or null if the text may be a damaged key
 */
export function explainNonKey(text: string): string | null {
  return hints.find((hint) => hint.fits(text))?.message ?? null;
}

/** `$A`, `${A}`, `$(a)`, `${{ a }}`, `{{ a }}`, `{a}`, `%A%`, `<%= a %>`, `process.env.A`. */
function isVariableReference(text: string): boolean {
  if (text.startsWith('$') || text.startsWith('{{') || text.startsWith('<%')) return true;
  if (/^(?:process\.env|import\.meta\.env|os\.environ|os\.getenv|getenv|ENV)\b[.[(]/.test(text)) return true;
  return /^%\w+%$/.test(text) || /^\{[A-Za-z_][\w.]*\}$/.test(text);
}

function isPlaceholder(text: string): boolean {
  if (text.length > maxPlaceholderLength) return false;
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.length > 0 && words.every((word) => placeholderWords.has(word) || isFiller(word));
}

/** One repeated character, such as `xxxxxxxx` or `00000000`. */
function isFiller(word: string): boolean {
  return word.length > 3 && word === word.charAt(0).repeat(word.length);
}
