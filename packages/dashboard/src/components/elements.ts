import type { ReactElement } from 'react';

/**
 * What React can move, add and remove in a page that a browser's translator has rewritten: elements, and never bare
 * text. A component that puts its children beside something else takes these in place of ReactNode.
 */
export type Elements = ReactElement | null | undefined | false | readonly Elements[];
