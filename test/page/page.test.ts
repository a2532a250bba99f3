import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleScan } from '../support/example-scan.ts';
import { HOSTILE_TEXTS, hostileScan } from '../support/hostile-scan.ts';
import { largeScan } from '../support/large-scan.ts';
import { type Opener, startBrowser } from './browser.ts';
import { imageRows, legendOf, textsOf, unfoldAll } from './read-page.ts';

/*
 * The page of a scan in headless Chromium, opened from a file as a person opens it.
 */

let browser: Opener;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
});

describe('text of the cluster', () => {
  it.each(HOSTILE_TEXTS)('is shown, and is neither markup nor code nor a request: %j', async (text) => {
    const { page, faults } = await browser.open(hostileScan(text));
    await unfoldAll(page);
    const foreign = await page.evaluate(() => ({
      elements: document.querySelectorAll('img, iframe, object, embed, base, form[action], svg [onload], b')
        .length,
      scripts: document.scripts.length,
      links: [...document.links]
        .map(({ href }) => href.replace(/^.*#/, '#'))
        .filter((href) => !href.startsWith('#')),
      handlers: [...document.querySelectorAll('*')].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith('on')),
      ).length,
      invisible: /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(document.querySelector('main')?.textContent ?? ''),
    }));
    expect(foreign).toEqual({ elements: 0, scripts: 2, links: [], handlers: 0, invisible: false });
    expect(faults).toEqual([]);
  });

  it.each(HOSTILE_TEXTS.filter((text) => /^[\x20-\x7e]{1,100}$/.test(text)))(
    'is shown as it is: %j',
    async (text) => {
      const { page } = await browser.open(hostileScan(text));
      expect(await page.locator('#images .reference').first().textContent()).toBe(text);
    },
  );

  it('is not copied if a reader cannot see all of it', async () => {
    const { page } = await browser.open(hostileScan('sailmark verify a\u202eb\u200b'));
    await page.locator('#images button.unfold').first().click();
    expect(await page.locator('#images .code').first().textContent()).toContain('cannot be shown');
    expect(await page.locator('#images .copy').count()).toBe(0);
    expect(await page.locator('#images .code code').first().textContent()).toBe(
      'sailmark verify a\\u{202e}b\\u{200b}',
    );
  });

  it('could not become markup or a request, because the policy of the page forbids both', async () => {
    const { page, faults } = await browser.open(exampleScan());
    const outcome = await page.evaluate(async () => {
      const attempts = [
        () => {
          document.body.innerHTML = '<b>text</b>';
        },
        () => {
          document.body.append(document.createElement('img'));
          (document.querySelector('img') as HTMLImageElement).src = 'https://elsewhere.example/';
        },
      ];
      const thrown = attempts.map((attempt) => {
        try {
          attempt();
          return '';
        } catch (error) {
          return (error as Error).name;
        }
      });
      const fetched = await fetch('https://elsewhere.example/').catch((error: Error) => error.name);
      return [...thrown, fetched];
    });
    expect(outcome).toEqual(['TypeError', '', 'TypeError']);
    await expect
      .poll(() => faults.filter((fault) => fault.startsWith('policy')).toSorted())
      .toEqual(['policy: connect-src', 'policy: img-src', 'policy: require-trusted-types-for']);
  });
});

describe('the page', () => {
  it('opens from a file without a request, an error or a breach of its policy', async () => {
    const { page, faults } = await browser.open(exampleScan());
    expect(await page.locator('h1').textContent()).toMatch(
      /^If you enforced now, 9 of 60 pods would be refused/,
    );
    expect(await page.locator('#report').isVisible()).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each([
    ['the example', exampleScan()],
    ['60 images', largeScan(60)],
    ['an interrupted scan', exampleScan({ complete: false })],
  ])('shows the numbers of the document: %s', async (_, scan) => {
    const { page } = await browser.open(scan);
    const { images, pods } = scan.summary;
    const line = (status: keyof typeof images): readonly string[] => [
      String(pods[status]),
      String(images[status]),
    ];
    expect(await legendOf(page)).toEqual({
      'would be refused': line('refused'),
      unknown: line('unknown'),
      'would be reported': line('reported'),
      exempt: line('exempt'),
      verified: line('verified'),
      'no image of Istio’s': [String(pods.other), ''],
    });
    expect(await page.locator('.bar').first().getAttribute('aria-label')).toContain(
      `pods: ${pods.refused} would be refused`,
    );
    expect(await textsOf(page, '#contents .count')).toEqual(
      [scan.remedies, scan.images, scan.owners, scan.preflight, scan.drift, scan.versions, scan.notices].map(
        ({ length }) => ` ${length}`,
      ),
    );
    expect((await page.locator('#warnings').textContent())?.includes('interrupted')).toBe(!scan.complete);
  });

  it('lists each image with its status, reason and pods, in the order of the document', async () => {
    const scan = exampleScan();
    const { page } = await browser.open(scan);
    expect(await imageRows(page)).toEqual(
      scan.images.map(({ status, reference, reason, pods }) => ({
        status,
        reference,
        reason: reason ?? '',
        pods,
      })),
    );
  });

  it('says so where there is nothing: no pod, or nothing to do', async () => {
    const none = { refused: 0, unknown: 0, reported: 0, exempt: 0, verified: 0 };
    const lists = {
      images: [],
      owners: [],
      remedies: [],
      preflight: [],
      drift: [],
      versions: [],
      notices: [],
    };
    const { page, faults } = await browser.open(
      exampleScan({
        ...lists,
        keys: [],
        coverage: { resources: [], notSeen: [], cut: [] },
        summary: { ...exampleScan().summary, images: none, pods: { ...none, all: 0, other: 0 } },
      }),
    );
    expect(await page.locator('h1').textContent()).toBe('No pod was seen.');
    expect(await page.locator('#remedies').textContent()).toContain('Nothing to do.');
    expect(await page.locator('#warnings').isVisible()).toBe(false);
    expect(faults).toEqual([]);
  });

  it('shows the summary, and nothing that is empty, without JavaScript', async () => {
    const { page } = await browser.open(exampleScan(), { javaScriptEnabled: false });
    expect(await page.locator('h1').isVisible()).toBe(true);
    expect(await page.locator('noscript').isVisible()).toBe(true);
    expect(await page.locator('noscript').textContent()).toContain('docker.io/istio/proxyv2:1.11.4');
    expect(await page.locator('#report').isVisible()).toBe(false);
  });

  it('needs no scrolling sideways where there is little room', async () => {
    for (const scan of [exampleScan(), largeScan(60), hostileScan('x'.repeat(3_000))]) {
      const { page } = await browser.open(scan, { viewport: { width: 390, height: 844 } });
      await unfoldAll(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    }
  });
});
