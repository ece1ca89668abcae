/** Every page must keep working and show current values after a browser's translator has rewritten it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findBareText } from './support/bare-text.ts';

const sources = fileURLToPath(new URL('../packages/dashboard/src', import.meta.url));

test('no component has bare text that React may remove, change or insert elements before', () => {
  const files = globSync('**/*.tsx', { cwd: sources });
  assert.ok(files.length > 50);
  const problems = files.flatMap((file) =>
    findBareText(file, readFileSync(join(sources, file), 'utf8')).map((problem) => `${file}:${problem}`),
  );
  assert.deepEqual(problems, []);
});

test('pages use straight quotes, like the messages of the API', () => {
  for (const file of globSync('**/*.{ts,tsx}', { cwd: sources }))
    assert.doesNotMatch(readFileSync(join(sources, file), 'utf8'), /[\u2018\u2019\u201C\u201D]/, file);
});

const component = (jsx: string) => `function Part() { return ${jsx}; }`;

for (const [rule, ...sources] of [
  [
    'an expression that may be text has siblings',
    component('<p>{count} keys</p>'),
    component('<p>{busy ? <b /> : null}{children}</p>'),
    component('<p><b />{shown && <i />}</p>'),
    component('<p><b />{open ? <i /> : "closed"}</p>'),
  ],
  [
    'text is next to an element that may be added or removed',
    component('<p>Now {open ? <b /> : null}</p>'),
    component('<p>Now <Failure /></p>'),
    component('<ul>Now {keys.map((key) => <li key={key} />)}</ul>'),
  ],
  [
    'text in a fragment or a component, next to other children',
    component('<>Now <b /></>'),
    component('<>Now</>'),
    component('<Notice>Now <b /></Notice>'),
  ],
  ['a component returns bare text', component("'Now'"), component('open ? <b /> : text')],
  ['a list mixes text with elements', component('<p>{words.map((w) => (w ? <b key={w} /> : "no"))}</p>')],
  [
    'two branches share an element and the text nodes in it: give one a key',
    component('<p>{open ? <b>Now <i /></b> : <b>Then</b>}</p>'),
    'function Part() { if (open) return <div><p>Now <i /></p></div>; return <div><p>Then</p></div>; }',
  ],
  ['<code> lacks translate="no"', component('<p><code>sk_live_</code></p>')],
] satisfies string[][]) {
  test(`the check finds: ${rule}`, () => {
    for (const source of sources) assert.deepEqual(findBareText('part.tsx', source), [`1: ${rule}`], source);
  });
}

test('text is allowed as an only child, next to elements that always exist, and in branches with keys', () => {
  for (const source of [
    component('<p>{countOf(keys)}</p>'),
    component('<p>{open ? "Open" : <b />}</p>'),
    component('<p>Created <RelativeTime at={at} />, <b>now</b>{" "}<Link to="/">there</Link>.</p>'),
    component('<p><b />{open ? <i /> : null}{keys.map((key) => <li key={key}>{key}</li>)}</p>'),
    component('<p>{open ? <b key="a">Now <i /></b> : <b key="b">Then</b>}</p>'),
    'function Part({ action }: { action: Elements }) { return <p><b />{action}</p>; }',
    "import { Key } from 'lucide-react'; function Part() { return <p><Key /> API keys</p>; }",
  ])
    assert.deepEqual(findBareText('part.tsx', source), [], source);
});
