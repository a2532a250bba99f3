import { readFileSync } from 'node:fs';

declare const SAILMARK_VERSION: string | undefined;
declare const SAILMARK_COMMIT: string | undefined;

const readSourceVersion = (): string => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
};

/** The version and commit that the bundler wrote into the program; a program run from source has no commit. */
export const build = {
  version: typeof SAILMARK_VERSION === 'string' ? SAILMARK_VERSION : readSourceVersion(),
  commit: typeof SAILMARK_COMMIT === 'string' ? SAILMARK_COMMIT : 'none (run from source)',
  node: process.version,
} as const;
