import type { PageParts } from './build-page.ts';

/** JSON of `PageParts`, which the bundler writes into the program. */
declare const SAILMARK_PAGE: string | undefined;

/**
 * Returns the page without its data; a program that runs from source bundles it at each call. The condition is one that the
 * bundler decides, so that it leaves out what comes after it.
 */
export const readPageParts = async (): Promise<PageParts> =>
  typeof SAILMARK_PAGE === 'string'
    ? (JSON.parse(SAILMARK_PAGE) as PageParts)
    : (await import('./build-page.ts')).buildPage();
