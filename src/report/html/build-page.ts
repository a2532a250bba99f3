import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The page without its data: what each of its three sources becomes. */
export interface PageParts {
  readonly html: string;
  readonly style: string;
  readonly script: string;
}

/** Code that would end the element that holds it, or change how the rest of it is parsed. */
const ENDS_ELEMENT = /<\/(?:script|style)|<!--/i;

/**
 * Bundles the sources in page/. esbuild is no runtime dependency: the bundle of the program carries the result (see
 * `.ci/bundle.ts`), and only a program that runs from source calls this.
 */
export const buildPage = async (): Promise<PageParts> => {
  const page = fileURLToPath(new URL('page/', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: ['main.ts', 'page.css', 'page.html'].map((name) => `${page}${name}`),
    outdir: page,
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome120', 'firefox121', 'safari17'],
    charset: 'utf8',
    loader: { '.html': 'copy' },
    logLevel: 'warning',
  });
  const textOf = (extension: string): string => {
    const text = outputFiles.find(({ path }) => path.endsWith(extension))?.text.trim();
    if (text === undefined) throw new Error(`the page has no ${extension}`);
    return text;
  };
  const parts = { html: textOf('.html'), style: textOf('.css'), script: textOf('.js') };
  if (ENDS_ELEMENT.test(parts.script) || ENDS_ELEMENT.test(parts.style))
    throw new Error('the script or the style of the page would end its own element');
  return parts;
};
