/** Combining marks that many scripts share, such as accents. The marks of kana, which change the syllable, are kept. */
const accents = /[[\p{Mn}&&\p{Script=Inherited}]--[\u3099\u309A]]/gv;

/** Joiners, variation selectors and similar: they change the appearance of a name, not its meaning. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

/** Letters with a stroke and ligatures of vowels, which Unicode does not decompose. */
const plainLetters: ReadonlyMap<string, string> = new Map([
  ['đ', 'd'],
  ['ħ', 'h'],
  ['ł', 'l'],
  ['ø', 'o'],
  ['ŧ', 't'],
  ['æ', 'ae'],
  ['œ', 'oe'],
]);

/**
 * Folds a name for searching: two names that differ only in case, accents, width or invisible characters become the
 * same text. Case folding is full (Unicode section 3.13, toCasefold): ß and SS, the final sigma, İ. In addition, ı is
 * folded to i, which Unicode does not do.
 *
 * Both databases compare folded names by bytes, so they give the same results. A change of this function needs a
 * migration that folds the stored names again.
 */
export function foldName(name: string): string {
  const lower = name.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase();
  return lower
    .normalize('NFKD')
    .replaceAll('ς', 'σ')
    .replace(accents, '')
    .replace(invisible, '')
    .replace(/[đħłøŧæœ]/g, (letter) => plainLetters.get(letter) ?? letter)
    .normalize('NFC');
}
