import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleScan } from '../support/example-scan.ts';
import { hostileScan } from '../support/hostile-scan.ts';
import { largeScan } from '../support/large-scan.ts';
import { type Opener, startBrowser } from './browser.ts';
import { unfoldAll } from './read-page.ts';

/*
 * The page of a scan for people who see little, hear it, or use no mouse: axe finds no violation of WCAG 2.2 AA, nor of
 * its good practices.
 */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Opener;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
});

/** Each violation with the elements it concerns. */
const violationsOf = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
};

const VIEWS: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
];

describe('axe finds nothing', () => {
  for (const [view, options] of VIEWS) {
    it(`in the example, ${view}, folded and unfolded`, async () => {
      const { page } = await browser.open(exampleScan(), options);
      expect(await violationsOf(page)).toEqual([]);
      await unfoldAll(page);
      expect(await violationsOf(page)).toEqual([]);
    });

    it(`in a cluster with every status, ${view}`, async () => {
      const { page } = await browser.open(largeScan(60), options);
      await page.getByRole('checkbox').first().check();
      expect(await violationsOf(page)).toEqual([]);
    });
  }

  it('where texts are hostile', async () => {
    const { page } = await browser.open(hostileScan('<b>"\u202e&amp;'));
    await unfoldAll(page);
    expect(await violationsOf(page)).toEqual([]);
  });

  it('on paper', async () => {
    const { page } = await browser.open(exampleScan());
    await page.emulateMedia({ media: 'print' });
    expect(await violationsOf(page)).toEqual([]);
  });

  it('but it does where there is something', async () => {
    const { page } = await browser.open(exampleScan());
    await page.evaluate(() => {
      document.querySelector('main')?.append(document.createElement('input'));
    });
    expect((await violationsOf(page)).join()).toMatch(/^label: <input/);
  });
});

it('the keyboard first meets a link to the content, and sees where it is', async () => {
  const { page } = await browser.open(exampleScan());
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
  expect(await page.locator('.skip').isVisible()).toBe(true);
  await page.keyboard.press('Tab');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  expect(outline).toBe('solid');
});
