/** Combining marks that many scripts share, such as accents; the marks of kana, which make another syllable, stay. */
const accents = /[[\p{Mn}&&\p{Script=Inherited}]--[\u3099\u309A]]/gv;

/** Joiners, variation selectors and the like: they change how a name looks, not what it says. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

/** Letters with a stroke and joined vowels, which Unicode does not decompose. */
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
 * same text. Case is folded in full (Unicode section 3.13, toCasefold): ß and SS, the final sigma, İ; and ı, too, which
 * Unicode keeps apart from i.
 *
 * The databases compare folded names byte by byte, so that both find the same. A change here needs a migration that
 * folds the stored names again.
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
