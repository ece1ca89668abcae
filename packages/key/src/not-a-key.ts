/**
 * Text that people send in the place of a key, recognised by its form. The messages are fixed: they repeat
 * nothing of what came. Every pattern reads the text once.
 */

/** What programs write for a value that is not there, or that is no text. */
const missingValues: ReadonlySet<string> = new Set(
  'undefined null none nil nan true false [object object] [object promise]'.match(/\[[^\]]+\]|\S+/g),
);

/** Words that examples put where the key goes. A placeholder has no others. */
const placeholderWords: ReadonlySet<string> = new Set(
  `a access add an api apikey auth bearer change changeme demo dummy enter example fake full goes hash here
  hidden insert is key live my mykey new of paste placeholder prod production put redacted removed replace
  replaceme real sample secret server some test text the this todo token use value with x xx xxx xxxx
  your yourapikey yourkey yours yoursecret me`.match(/\w+/g),
);

/** Longer text is no placeholder; the bound keeps the splitting cheap. */
const longestPlaceholder = 80;

const unexpanded =
  'This is the name of a variable, not its value: nothing put the key in its place. A shell does so between double quotes but not between single ones; elsewhere, look at how the program or the template reads variables.';

const hints: readonly { fits: (text: string) => boolean; message: string }[] = [
  {
    fits: (text) => text === '',
    message: 'The key is empty. Check that the variable which should hold it is set.',
  },
  {
    fits: (text) => missingValues.has(text.toLowerCase()),
    message:
      'This is what a program writes for a missing value or an object, not a key. The variable that should hold the key is not set, or is no text.',
  },
  {
    fits: isVariable,
    message: unexpanded,
  },
  {
    fits: (text) => /^key_[0-9a-z]{26}$/.test(text),
    message: 'This is the id of a key, not the key. The id is public and opens nothing: send the key itself.',
  },
  {
    fits: (text) => /^eyJ[\w-]*\.[\w.-]*$/.test(text),
    message: 'This is a JSON Web Token, not an API key. Make a key in the dashboard and send that.',
  },
  {
    fits: (text) => /^[a-z][a-z0-9+.-]{0,20}:\/\//i.test(text),
    message:
      'This is a URL, not a key. Send the key alone; the URL belongs into the configuration of the client.',
  },
  {
    fits: isPlaceholder,
    message: 'This is a placeholder of an example, not a key. Put your own key in its place.',
  },
  { fits: (text) => /^[A-Z][A-Z_]*_KEY$/.test(text), message: unexpanded },
  {
    fits: (text) => /^(?:authorization\b|bearer\b|basic\b)/i.test(text),
    message:
      'The text begins with the name of the header or of the scheme. Where only a key belongs, put the key alone.',
  },
];

/**
 * Says what a text is instead of a key.
 * @param text without white space and quotes around it
 * @returns the message for whoever sent it, or null when the text may be a damaged key
 */
export function notAKey(text: string): string | null {
  return hints.find((hint) => hint.fits(text))?.message ?? null;
}

/** `$A`, `${A}`, `$(a)`, `${{ a }}`, `{{ a }}`, `{a}`, `%A%`, `<%= a %>`, `process.env.A`. */
function isVariable(text: string): boolean {
  if (text.startsWith('$') || text.startsWith('{{') || text.startsWith('<%')) return true;
  if (/^(?:process\.env|import\.meta\.env|os\.environ|os\.getenv|getenv|ENV)\b[.[(]/.test(text)) return true;
  return /^%\w+%$/.test(text) || /^\{[A-Za-z_][\w.]*\}$/.test(text);
}

function isPlaceholder(text: string): boolean {
  if (text.length > longestPlaceholder) return false;
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.length > 0 && words.every((word) => placeholderWords.has(word) || isFiller(word));
}

/** `xxxxxxxx`, `00000000`: one character again and again. */
function isFiller(word: string): boolean {
  return word.length > 3 && word === word.charAt(0).repeat(word.length);
}
