import { readdirSync } from 'node:fs';

/** Returns the files of a bundle that are shipped: code, and the notices that esbuild found in it. */
export const bundleFiles = (bundleDirectory: string): readonly string[] =>
  readdirSync(bundleDirectory)
    .filter((name) => /\.js(?:\.LEGAL\.txt)?$/.test(name))
    .toSorted();
