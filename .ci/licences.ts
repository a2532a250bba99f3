import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundledPackage, readBundledPackages } from './bundled-packages.ts';

/*
 * Prints the licence of every package in the bundle (`node .ci/licences.ts [BUNDLE]`): the licences require that their text
 * accompanies the code. Fails if a package has none, or one that is not on the list.
 */

const ROOT = join(import.meta.dirname, '..');

/** Licences that ask for no more than their text. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** Packages whose archive has no file with the licence that their manifest names. */
const WITHOUT_FILE: Readonly<Record<string, () => string>> = {
  '@sigstore/verify': () => readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim(),
  'abstract-logging': () => `Copyright (c) James Sumners\n\n${MIT}`,
};

const filesOf = (directory: string): string => {
  const names = readdirSync(directory).filter((name) =>
    /^(?:licen[cs]e|copying|notice)(?![a-z])/i.test(name),
  );
  return names
    .toSorted()
    .map((name) => readFileSync(join(directory, name), 'utf8').trim())
    .join('\n\n');
};

/** Returns the notice of one package. Throws if its licence is not allowed, or there is no text of it. */
const noticeOf = (
  { name, version, licence, directories }: BundledPackage,
  allowed: readonly string[],
): string => {
  if (licence === undefined || !allowed.includes(licence))
    throw new Error(
      `${name} ${version} has the licence ${licence ?? '(none)'}, which is not on the list in .ci/licences.ts: ${allowed.join(', ')}`,
    );
  const text = filesOf(join(ROOT, directories[0])) || WITHOUT_FILE[name]?.();
  if (text === undefined) throw new Error(`${name} ${version} has no file with its licence (${licence})`);
  return `${name} ${version} (${licence})\n\n${text}`;
};

/** Node.js, where it is shipped beside the bundle: its version and the file with its licences. */
export interface ShippedNode {
  readonly version: string;
  readonly licenceFile: string;
}

/**
 * Returns the notices of what is shipped: the packages in the bundle, and Node.js if it is there. Throws if a package has no text
 * of its licence, or a licence that is not allowed.
 */
export const noticesOf = (
  packages: readonly BundledPackage[],
  { node, allowed = ALLOWED }: { readonly node?: ShippedNode; readonly allowed?: readonly string[] } = {},
): string => {
  const sections = packages.map((one) => noticeOf(one, allowed));
  const ofNode =
    node === undefined ? [] : [`Node.js ${node.version}\n\n${readFileSync(node.licenceFile, 'utf8').trim()}`];
  return `${[...ofNode, ...sections].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
};

if (import.meta.main) {
  const { packages } = readBundledPackages(process.argv[2] ?? 'dist');
  process.stdout.write(noticesOf(packages));
}
