import type { ReactElement } from 'react';

/**
 * Children that React can move, add and remove in a page that a browser's translator has rewritten: elements, but never
 * bare text. A component that renders its children next to other nodes accepts these instead of ReactNode.
 */
export type Elements = ReactElement | null | undefined | false | readonly Elements[];
