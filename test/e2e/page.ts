import { readFileSync } from 'node:fs';

/* Commands of pages, which tests run as they stand there. */

/** Reads a page of the repository. */
export const readPage = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Returns the commands of the `sh` blocks, one a line: of the section whose heading begins so, or of the whole page. */
export const commandsIn = (page: string, heading?: string): readonly string[] => {
  const sections = page.split('\n## ');
  const section = heading === undefined ? page : sections.find((text) => text.startsWith(heading));
  if (section === undefined) throw new Error(`there is no section "${heading}"`);
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
};
