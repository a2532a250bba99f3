import { gzipSync } from 'node:zlib';
import type { ScanResult } from '../scan-result.ts';

/** A page, compressed, and the sentence that says what was left out of it; undefined: nothing was. */
export interface FittedPage {
  readonly bytes: Uint8Array;
  readonly left: string | undefined;
}

const isOpen = ({ status }: { readonly status: string }): boolean => status !== 'verified';

/** The parts that are left out, the least first. */
const REDUCTIONS: readonly {
  readonly left: string | undefined;
  readonly reduce: (result: ScanResult) => ScanResult;
}[] = [
  { left: undefined, reduce: (result) => result },
  {
    left: 'the page lists no verified image',
    reduce: (result) => ({ ...result, images: result.images.filter(isOpen) }),
  },
  {
    left: 'the page lists the 500 most serious images and owners only',
    reduce: (result) => ({
      ...result,
      images: result.images
        .filter(isOpen)
        .slice(0, 500)
        .map((image) => ({
          ...image,
          uses: image.uses.slice(0, 20),
          omittedUses: image.omittedUses + Math.max(0, image.uses.length - 20),
        })),
      owners: result.owners.slice(0, 500),
      drift: result.drift.slice(0, 500),
    }),
  },
];

const withSentence = (result: ScanResult, left: string | undefined): ScanResult =>
  left === undefined
    ? result
    : {
        ...result,
        coverage: { ...result.coverage, cut: [...result.coverage.cut, `${left}: all of it did not fit`] },
      };

/** Returns the page of a result, reduced until it fits into some bytes, compressed; undefined if nothing fits. */
export const fitPage = async (
  result: ScanResult,
  page: (result: ScanResult) => Promise<string>,
  maxBytes: number,
): Promise<FittedPage | undefined> => {
  for (const { left, reduce } of REDUCTIONS) {
    const bytes = gzipSync(await page(withSentence(reduce(result), left)));
    if (bytes.length <= maxBytes) return { bytes, left };
  }
  return undefined;
};
