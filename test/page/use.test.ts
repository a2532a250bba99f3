import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScannedImage } from '../../src/scan/index.ts';
import { exampleScan } from '../support/example-scan.ts';
import { largeScan } from '../support/large-scan.ts';
import { type Opener, startBrowser } from './browser.ts';
import { imageRows, textsOf } from './read-page.ts';

/*
 * The page of a scan, as a person works with it: by mouse, by keyboard and on paper.
 */

let browser: Opener;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
});

const scan = largeScan(60);

const openScan = async (): Promise<Page> => (await browser.open(scan)).page;

const referencesOf = async (page: Page): Promise<readonly string[]> =>
  (await imageRows(page)).map(({ reference }) => reference);

/** The references of the images on the first page of the table. */
const firstOf = (images: readonly ScannedImage[]): readonly string[] =>
  images.slice(0, 50).map(({ reference }) => reference);

const resultOf = (page: Page): Promise<string | null> => page.locator('.result span').textContent();

/** Moves the focus by the keyboard until it is on an element that this selector finds. */
const tabTo = async (page: Page, selector: string): Promise<void> => {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
};

describe('the filters', () => {
  it('find words in any text of an image, show their number, and say it', async () => {
    const page = await openScan();
    await page.getByLabel('Search').fill('team-b ZTUNNEL');
    const expected = scan.images.filter(({ reference }) =>
      reference.startsWith('ghcr.io/team-b/istio/ztunnel'),
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(await referencesOf(page)).toEqual(firstOf(expected));
    expect(await resultOf(page)).toBe(`${expected.length} of 60 images`);
    await expect.poll(() => page.locator('#status').textContent()).toBe(`${expected.length} of 60 images`);
  });

  it('say so if nothing is found, and show everything once they are cleared', async () => {
    const page = await openScan();
    await page.getByLabel('Search').fill('no such image');
    expect(await referencesOf(page)).toEqual([]);
    expect(await page.locator('#images').getByText('No images to show.').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await referencesOf(page)).toEqual(firstOf(scan.images));
    expect(await resultOf(page)).toBe('60 images');
  });

  it.each([
    ['Status', 'would be reported', (image: ScannedImage) => image.status === 'reported'],
    ['Reason', 'image-look-alike', (image: ScannedImage) => image.reason === 'image-look-alike'],
    ['Component', 'ztunnel', (image: ScannedImage) => image.component === 'ztunnel'],
    [
      'Namespace',
      'team-9',
      (image: ScannedImage) => image.uses.some(({ namespace }) => namespace === 'team-9'),
    ],
  ] as const)('choose by %s', async (name, option, passes) => {
    const page = await openScan();
    await page.locator('.filters').getByLabel(name).selectOption({ label: option });
    const expected = scan.images.filter(passes);
    expect(expected.length).toBeGreaterThan(0);
    expect(await referencesOf(page)).toEqual(firstOf(expected));
  });

  it('are set by the numbers of the picture', async () => {
    const page = await openScan();
    await page.locator('.reasons').getByRole('button', { name: 'signature-missing' }).click();
    expect(await referencesOf(page)).toEqual(
      firstOf(
        scan.images.filter(({ status, reason }) => status === 'refused' && reason === 'signature-missing'),
      ),
    );
    await page.locator('.legend').getByRole('button', { name: 'exempt' }).click();
    expect(await referencesOf(page)).toEqual(
      firstOf(scan.images.filter(({ status }) => status === 'exempt')),
    );
  });
});

describe('the table of images', () => {
  it('is sorted by the keyboard, up and down, and says how', async () => {
    const page = await openScan();
    const header = (name: string) => page.locator('#images thead th', { hasText: name });
    expect(await header('Status').getAttribute('aria-sort')).toBe('ascending');
    await tabTo(page, '#images thead th:last-child button');
    await page.keyboard.press('Enter');
    const byPods = scan.images.toSorted((a, b) => b.pods - a.pods);
    expect(await referencesOf(page)).toEqual(firstOf(byPods));
    expect(await header('Pods').getAttribute('aria-sort')).toBe('descending');
    expect(await header('Status').getAttribute('aria-sort')).toBeNull();
    await page.keyboard.press('Space');
    expect((await imageRows(page)).map(({ pods }) => pods)).toEqual(
      scan.images
        .map(({ pods }) => pods)
        .toSorted((a, b) => a - b)
        .slice(0, 50),
    );
    expect(await header('Pods').getAttribute('aria-sort')).toBe('ascending');
  });

  it('has pages', async () => {
    const page = await openScan();
    const pager = page.locator('#images .pager');
    expect(await pager.locator('span').textContent()).toBe('1–50 of 60 images');
    await pager.getByRole('button', { name: 'Next' }).click();
    expect(await referencesOf(page)).toEqual(scan.images.slice(50).map(({ reference }) => reference));
    expect(await pager.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
  });

  it('unfolds a row by the keyboard: the denial verbatim, where it runs, and the command', async () => {
    const page = await openScan();
    const [image] = scan.images as [ScannedImage];
    await tabTo(page, 'button.unfold');
    await page.keyboard.press('Enter');
    const detail = page.locator('#images tr.detail').first();
    expect(await detail.isVisible()).toBe(true);
    expect(await page.locator('button.unfold').first().getAttribute('aria-expanded')).toBe('true');
    expect(await detail.locator('blockquote').textContent()).toBe(image.message);
    expect(await detail.locator('code').textContent()).toBe(image.command);
    expect(await detail.locator('ul.uses li > span > bdi').allTextContents()).toEqual(
      expect.arrayContaining(image.uses.map(({ namespace, owner }) => `${namespace} ${owner}`)),
    );
    await page.keyboard.press('Enter');
    expect(await detail.isVisible()).toBe(false);
  });

  it('names the signer of a verified image', async () => {
    const { page } = await browser.open(exampleScan());
    await page.locator('#images button.unfold', { hasText: 'docker.io/istio/proxyv2:1.28.1' }).click();
    expect(await page.locator('#images tr.detail:visible').textContent()).toContain(
      'istio-release-1 (key kI7-eP4xGgWcYAmBeqKH1tDvHUyZ0uYkz3oJk0P0Q1A)',
    );
  });

  it('copies the command, from a file too', async () => {
    const page = await openScan();
    await page.locator('#images button.unfold').first().click();
    await page.locator('#images .copy').first().click();
    await page.getByLabel('Search').focus();
    await page.keyboard.press('Control+V');
    expect(await page.getByLabel('Search').inputValue()).toBe(scan.images[0]?.command);
    expect(await page.locator('#status').textContent()).toMatch(/Copied|1 of 60 images|of 60 images/);
  });
});

describe('the remedies', () => {
  it('are worked off', async () => {
    const page = await openScan();
    expect(await textsOf(page, '#remedies .title')).toEqual(scan.remedies.map(({ title }) => title));
    await page.getByRole('checkbox').first().check();
    expect(await page.locator('#remedies .lead').textContent()).toMatch(/^1 of 3 done/);
    expect(await page.locator('#status').textContent()).toMatch(/^1 of 3 done/);
    await page.getByRole('checkbox').first().uncheck();
    expect(await page.locator('#remedies .lead').textContent()).toMatch(/^0 of 3 done/);
  });
});

describe('on paper', () => {
  it('everything that would be refused or is unknown is unfolded, and no control is printed', async () => {
    const page = await openScan();
    await page.emulateMedia({ media: 'print' });
    await page.locator('#images tr.detail:visible').first().waitFor();
    const printed = scan.images.filter(({ status }) => status === 'refused' || status === 'unknown');
    expect(await referencesOf(page)).toEqual(printed.map(({ reference }) => reference));
    expect(await textsOf(page, '#images tr.detail:visible blockquote')).toEqual(
      printed.map(({ message }) => message),
    );
    expect(
      await page.locator('nav, .filters, .copy:visible, .pager:visible').filter({ visible: true }).count(),
    ).toBe(0);
    expect(await page.locator('#remedies details:not([open])').count()).toBe(0);
    await page.emulateMedia({ media: 'screen' });
    await expect.poll(() => referencesOf(page)).toEqual(firstOf(scan.images));
    expect(await page.locator('tr.detail:visible').count()).toBe(0);
  });

  it('the page is a PDF of some pages', async () => {
    const page = await openScan();
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length).toBeGreaterThan(2);
  });
});
