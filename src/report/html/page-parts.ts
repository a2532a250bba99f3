import type { PageParts } from './build-page.ts';

/** JSON of `PageParts`, which the bundler writes into the program. */
declare const SAILMARK_PAGE: string | undefined;

/** Returns the page without its data; a program that runs from source bundles it at each call. */
export const readPageParts = async (): Promise<PageParts> => {
  if (typeof SAILMARK_PAGE === 'string') return JSON.parse(SAILMARK_PAGE) as PageParts;
  const { buildPage } = await import('./build-page.ts');
  return buildPage();
};
