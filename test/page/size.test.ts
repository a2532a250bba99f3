import { afterAll, beforeAll, expect, it } from 'vitest';
import { scanToHtml } from '../../src/report/index.ts';
import type { ScanResult } from '../../src/scan/index.ts';
import { largeScan } from '../support/large-scan.ts';
import { type Opener, startBrowser } from './browser.ts';

/*
 * The page of a scan of 10,000 images: what it costs to open and to filter.
 */

let browser: Opener;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
});

interface Cost {
  readonly bytes: number;
  readonly firstPaint: number;
  readonly shown: number;
  readonly keystroke: number;
  readonly sort: number;
  readonly elements: number;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

/** Milliseconds and numbers of one page. */
const costOf = async (scan: ScanResult): Promise<Cost> => {
  const { page } = await browser.open(scan);
  const measured = await page.evaluate(() => {
    const search = document.querySelector<HTMLInputElement>('input[type=search]') as HTMLInputElement;
    // Reading a size makes the browser lay the page out, so that the time holds everything but the painting.
    const timed = (act: () => void): number => {
      const start = performance.now();
      act();
      void document.body.offsetHeight;
      return performance.now() - start;
    };
    const keystrokes = 'proxyv2:1.28'.split('').map((letter) =>
      timed(() => {
        search.value += letter;
        search.dispatchEvent(new Event('input'));
      }),
    );
    search.value = '';
    search.dispatchEvent(new Event('input'));
    const headers = document.querySelectorAll<HTMLElement>('#images button.sort');
    return {
      firstPaint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      shown: performance.getEntriesByType('navigation')[0]?.toJSON().domComplete as number,
      keystrokes,
      sort: timed(() => headers[1]?.click()),
      elements: document.querySelectorAll('*').length,
    };
  });
  const { keystrokes, ...rest } = measured;
  return { ...rest, keystroke: median(keystrokes), bytes: Buffer.byteLength(await scanToHtml(scan)) };
};

it('10,000 images open at once, are filtered between two keystrokes, and are no more elements than 1,000', async () => {
  await costOf(largeScan(100));
  const [few, many] = [await costOf(largeScan(1_000)), await costOf(largeScan(10_000))];
  for (const [images, cost] of [[1_000, few] as const, [10_000, many] as const])
    console.log(
      `${images} images: ${cost.bytes} bytes, first paint ${Math.round(cost.firstPaint)} ms, shown ${Math.round(cost.shown)} ms, ` +
        `keystroke ${cost.keystroke.toFixed(1)} ms, sort ${Math.round(cost.sort)} ms, ${cost.elements} elements`,
    );
  expect(many.bytes / few.bytes).toBeLessThan(11);
  expect(many.elements).toBeLessThan(few.elements + 200);
  // Ten times the images cost no more than ten times the time; the figures are what a slow, busy machine takes.
  expect(many.keystroke).toBeLessThan(10 * few.keystroke + 50);
  expect(many.shown).toBeLessThan(20_000);
  expect(many.keystroke).toBeLessThan(500);
  expect(many.sort).toBeLessThan(5_000);
});
