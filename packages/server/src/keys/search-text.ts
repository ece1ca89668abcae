import { foldName } from '../database/fold-name.ts';

/** What a search text can match. All texts are lowercase ASCII. */
export interface SearchText {
  /** Part of the folded name. */
  name: string;
  /** Part of the id. */
  id: string | undefined;
  /** Any of these previews. */
  previews: PreviewPart[];
}

/**
 * Part of a preview such as `sk_live_2ba...ixy`: the prefix, the first 3 characters and the last 3 characters. Imported
 * keys have no prefix, and up to 12 and 4 characters.
 */
export interface PreviewPart {
  /** The whole prefix. */
  prefix?: string;
  /** The end of the prefix, such as `live_`. Only with a full `start`, because `e_2` matches far too many previews. */
  prefixEnd?: string;
  start?: string;
  end?: string;
}

/** Characters that a preview shows at each end. */
const shown = 3;

/** Shorter texts occur by chance in so many ids that they would hide the matches by name. */
const minIdLength = 4;

/** Crockford base 32, as in ids.ts. */
const idPart = new RegExp(`^(?:key_[0-9a-hjkmnp-tv-z]{1,26}|[0-9a-hjkmnp-tv-z]{${minIdLength},26})$`);

/** The dots of a preview, and the masks that other programs use instead. */
const gap = '(?:\\.{2,}|\\u2026|\\*+|\\u2022+)';

const prefixed = new RegExp(`^([a-z0-9_]*_)([0-9a-z]{0,${shown}})(?:${gap}([0-9a-z]{0,${shown}}))?$`);
const unprefixed = new RegExp(`^([0-9a-z]{${shown}})?${gap}([0-9a-z]{0,${shown}})$`);
const bare = new RegExp(`^[0-9a-z]{${shown}}$`);
const imported = new RegExp(`^([!-~]{0,12}?)(?:${gap}([!-~]{0,4}))?$`);

/** @param text the input, trimmed and not empty */
export function readSearch(text: string): SearchText {
  const lower = text.toLowerCase();
  return {
    name: foldName(text),
    id: idPart.test(lower) ? lower : undefined,
    previews: readPreview(lower),
  };
}

function readPreview(text: string): PreviewPart[] {
  return [...readOwnPreview(text), ...readImportedPreview(text)];
}

/** Only parts that are longer than those of other keys, which `readOwnPreview` finds. */
function readImportedPreview(text: string): PreviewPart[] {
  const [, start = '', end = ''] = imported.exec(text) ?? [];
  if (start.length <= shown && end.length <= shown) return [];
  const either = start.length === 4 && end === '' && start === text;
  return [nonEmpty({ start, end }), ...(either ? [{ end: start }] : [])];
}

/** Three characters alone may be either end. Fewer would match too many previews. */
function readOwnPreview(text: string): PreviewPart[] {
  if (bare.test(text)) return [{ start: text }, { end: text }];
  const whole = prefixed.exec(text);
  if (whole !== null) {
    const [, prefix, start = '', end] = whole;
    return [nonEmpty(start.length === shown ? { prefixEnd: prefix, start, end } : { prefix, start, end })];
  }
  const [, start, end] = unprefixed.exec(text) ?? [];
  const part = nonEmpty({ start, end });
  return Object.keys(part).length > 0 ? [part] : [];
}

/** Omits missing and empty parts. */
function nonEmpty(part: { [Name in keyof PreviewPart]: string | undefined }): PreviewPart {
  return Object.fromEntries(Object.entries(part).filter(([, text]) => text !== undefined && text !== ''));
}
