/** The contrast of every pair of colors that the styles use, in light and dark (WCAG 2.2, 1.4.3 and 1.4.11). */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const sources = join(import.meta.dirname, '..');
const tokens = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');

type Theme = 'light' | 'dark';

/** The opaque colors of each theme by name. A color without light-dark() is the same in both. */
function parseColors(css: string): Record<Theme, Map<string, string>> {
  const themes = { light: new Map<string, string>(), dark: new Map<string, string>() };
  const color = '(#[0-9a-f]{6})';
  const declaration = new RegExp(`--([\\w-]+): (?:light-dark\\(${color}, ${color}\\)|${color});`, 'g');
  for (const [, name = '', light, dark, both = ''] of css.matchAll(declaration)) {
    themes.light.set(name, light ?? both);
    themes.dark.set(name, dark ?? both);
  }
  return themes;
}

const colors = parseColors(tokens);

/** The relative luminance of WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const text = 4.5;
const graphics = 3;
const grounds = ['page', 'surface', 'sunken', 'hover', 'selected'];

/** What is drawn on what, with the lowest contrast that it needs. */
const pairs: Array<{ front: string; on: string[]; least: number }> = [
  ...['text', 'text-2', 'text-3'].map((front) => ({ front, on: grounds, least: text })),
  { front: 'on-ink', on: ['ink', 'ink-hover'], least: text },
  { front: 'on-ink-2', on: ['ink', 'ink-hover'], least: text },
  { front: 'on-bad', on: ['bad-fill', 'bad-fill-hover'], least: text },
  { front: 'brass-text', on: ['brass-soft', 'page', 'surface'], least: text },
  // The plate of a new key.
  ...['text', 'text-2', 'good', 'warn'].map((front) => ({ front, on: ['brass-soft'], least: text })),
  { front: 'good', on: ['good-soft', 'page', 'surface'], least: text },
  { front: 'warn', on: ['warn-soft', 'page', 'surface', 'hover'], least: text },
  { front: 'bad', on: ['bad-soft', 'page', 'surface', 'hover'], least: text },
  // Edges of controls, keys, charts and the focus.
  { front: 'line-strong', on: ['page', 'surface'], least: graphics },
  { front: 'ink', on: ['page', 'surface', 'brass-soft'], least: graphics },
  { front: 'bad-fill', on: ['page', 'surface'], least: graphics },
  { front: 'brass', on: ['page', 'surface', 'hover', 'selected'], least: graphics },
  { front: 'nickel', on: ['page', 'surface', 'hover', 'selected'], least: graphics },
  { front: 'brass-line', on: ['page', 'surface', 'brass-soft', 'brass-area'], least: graphics },
  { front: 'focus', on: [...grounds, 'brass-soft'], least: graphics },
];

/** Decoration, or the background of a pair. */
const needNoContrast = new Set(['line', 'line-control', 'nickel-soft', 'page-dimmed', 'page-dimmed-twice']);

for (const theme of ['light', 'dark'] satisfies Theme[]) {
  test(`every pair of colors has enough contrast in the ${theme} theme`, () => {
    const value = (name: string) => colors[theme].get(name) ?? assert.fail(`no color --${name}`);
    const low = pairs.flatMap(({ front, on, least }) =>
      on
        .map((back) => ({ front, back, least, is: contrast(value(front), value(back)) }))
        .filter(({ is }) => is < least),
    );
    assert.deepEqual(low, []);
  });
}

test('every color belongs to a pair or is decoration', () => {
  const paired = new Set(pairs.flatMap(({ front, on }) => [front, ...on]));
  const others = [...colors.light.keys()].filter((name) => !paired.has(name) && !needNoContrast.has(name));
  assert.deepEqual(others, []);
  assert.ok(colors.light.size > 30, `${colors.light.size} colors`);
});

test('the contrast is computed as in WCAG', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.equal(Math.round(contrast('#777777', '#ffffff') * 100) / 100, 4.48);
});

test('every custom property that a style uses is defined', () => {
  const files = globSync('**/*.css', { cwd: sources });
  assert.ok(files.length > 30);
  for (const file of files) {
    const css = readFileSync(join(sources, file), 'utf8');
    const defined = new Set([...(tokens + css).matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
    const missing = [...css.matchAll(/var\((--[\w-]+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !defined.has(name) && !inherited.has(name));
    assert.deepEqual(missing, [], file);
  }
});

/** Defined by the surrounding component. */
const inherited = new Set(['--dialog-inset', '--toggle-inset']);
