/**
 * The characters that a name may contain. People choose the key to revoke by its name, so two names must not differ
 * only in invisible characters. Invisible characters that a script or an emoji needs are allowed where they have an
 * effect.
 */

/** Scripts in which a joiner between two letters changes how they are written (UAX #31 section 2.3). */
const joiningScripts = [
  ...['Arab', 'Syrc', 'Mand', 'Nkoo', 'Rohg', 'Mong', 'Phag'],
  ...['Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh', 'Khmr', 'Mymr', 'Tibt'],
];
const joining = joiningScripts.map((script) => `\\p{scx=${script}}`).join('');

/** Viramas, which remove the vowel of a consonant. A joiner after one selects its form (RFC 5892 appendix A). */
const virama =
  '\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D3B\\u0D3C\\u0D4D\\u0DCA\\u1039\\u17D2';

const allowed = new RegExp(
  [
    // Between two letters, or their marks, of a joining script such as Persian.
    `(?<=[[\\p{L}\\p{M}]&&[${joining}]])[\\u200C\\u200D](?=[[\\p{L}\\p{M}]&&[${joining}]])`,
    `(?<=[${virama}])[\\u200C\\u200D]`,
    // Between two emoji (UTS #51 ED-16).
    '(?<=\\p{Extended_Pictographic}[\\uFE0F\\u{1F3FB}-\\u{1F3FF}]?)\\u200D(?=\\p{Extended_Pictographic})',
    // Region tags after a black flag: gbeng is England (UTS #51 ED-14a). Longer text would be invisible.
    '(?<=\\u{1F3F4})[\\u{E0030}-\\u{E0039}\\u{E0061}-\\u{E007A}]{3,6}\\u{E007F}',
    // The presentation of an emoji, or of the digit of a keycap (ED-9a, ED-14c).
    '(?<=\\p{Extended_Pictographic})[\\uFE0E\\uFE0F]',
    '(?<=[0-9#*])\\uFE0F(?=\\u20E3)',
    // The form of an ideograph (UTS #37) and of a Mongolian letter.
    '(?<=\\p{Unified_Ideograph})[\\uFE00-\\uFE02\\u{E0100}-\\u{E01EF}]',
    '(?<=[\\p{L}&&\\p{Script=Mongolian}])[\\u180B-\\u180F]',
    // A blank between letters of braille.
    '(?<=[\\u2801-\\u28FF])\\u2800(?=[\\u2801-\\u28FF])',
  ].join('|'),
  'gv',
);

/**
 * Characters that Unicode classes as letters or symbols although they are invisible: the blanks of Egyptian
 * hieroglyphs, a musical null notehead, and the object replacement character.
 */
const blank = '\\uFFFC\\u{13441}\\u{13442}\\u{1D159}';

/** Control characters, invisible characters, lone surrogates (which cannot be stored), and bidirectional controls. */
const hidden = new RegExp(
  `[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u2800\\uFFF9-\\uFFFB${blank}]`,
  'v',
);

const visible = /[^\p{M}\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/v;

/** Whether every character of a text is visible. */
export function isPrintable(text: string): boolean {
  return !hidden.test(text.replace(allowed, ''));
}

const allowedOrHidden = new RegExp(`(?:${allowed.source})|(${hidden.source})`, 'gv');

/** Replaces each character that `isPrintable` rejects with its code point: `a\u{202e}b`. */
export function escapeHiddenCharacters(text: string): string {
  return text.replace(allowedOrHidden, (found, isHidden?: string) =>
    isHidden === undefined ? found : `\\u{${found.codePointAt(0)?.toString(16)}}`,
  );
}

/** Whether a text has a visible character. Spaces, and accents without a letter, do not count. */
export function isVisible(text: string): boolean {
  return visible.test(text);
}
