import { existsSync } from 'node:fs';

const iconFolder = '../../node_modules/lucide-react/dist/esm/icons';

/**
 * Code that every page needs, in one chunk that changes rarely. It must contain zod together with zod-without-eval.ts:
 * a chunk that imports this one runs after all of it, so no schema is built earlier. Only dialogs block navigation.
 */
export const baseModules =
  /node_modules\/(react|react-dom|scheduler|zod|use-sync-external-store|@tanstack)\/(?!.*useBlocker)|zod-without-eval/;

/**
 * @param files below src
 * @param icons names of icons of lucide-react
 * @returns a pattern that matches the paths of these modules
 * @throws {Error} if a file or an icon does not exist, because then a renamed one would silently get a chunk of its own
 */
function modulesOf(files: readonly string[], icons: readonly string[]): RegExp {
  const expected = [
    ...files.map((file) => `src/${file}`),
    ...icons.map((icon) => `${iconFolder}/${icon}.mjs`),
  ];
  for (const file of expected)
    if (!existsSync(new URL(file, import.meta.url))) throw new Error(`chunks.ts: no file ${file}`);
  const paths = files.map((file) => `src/${file}`.replaceAll('.', '\\.'));
  return new RegExp(`/(?:${paths.join('|')})$|lucide-react/.*/(?:${icons.join('|')})\\.m?js$`);
}

const inFolder = (folder: string, files: string) => files.split(' ').map((file) => `${folder}/${file}`);

/**
 * Code and icons that nearly every page uses, in one chunk. By default the bundler creates a chunk for each set of pages
 * that share a module: a dozen and a half small files, 2.5 kB (gzip) more for a page that loads them all.
 */
export const partModules = modulesOf(
  [
    ...inFolder('dates', 'dates.ts use-render-every-minute.ts zone.ts'),
    ...inFolder('api', 'channel.ts client.ts keys.ts refresh.ts session.ts workspace.ts'),
    ...inFolder('components', 'Badge.tsx Button.tsx EmptyState.tsx KeyTeeth.tsx key-teeth.ts listeners.ts'),
    ...inFolder('components', 'ListFoot.tsx LoadFailed.tsx Notice.tsx PageHead.tsx RelativeTime.tsx'),
    ...inFolder('components', 'Skeleton.tsx StatusBadge.tsx use-panel.ts'),
    ...inFolder('pages/settings/api', 'bulk/count-keys.ts limit.ts list/CreatorName.tsx'),
  ],
  ['moon', 'plus', 'refresh-cw', 'x'],
);

/**
 * What dialogs and forms consist of. In one chunk, because the first script names all chunks, and most pages with one of
 * these parts load the others, too.
 */
export const formModules = modulesOf(
  [
    ...inFolder('components', 'copy-text.ts CopyButton.tsx Dialog.tsx Field.tsx FormActions.tsx Loading.tsx'),
    ...inFolder('components', 'Segments.tsx sentence.ts use-call.ts use-modal.ts use-submit.ts'),
  ],
  ['chevron-down'],
);
