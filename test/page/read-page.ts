import type { Page } from 'playwright-core';

export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).allTextContents();

/** The numbers beside the picture: of pods and of images, by their label. */
export const legendOf = (page: Page): Promise<Record<string, readonly string[]>> =>
  page
    .locator('.legend tbody tr')
    .evaluateAll((rows) =>
      Object.fromEntries(
        rows.map((row) => [
          row.querySelector('th')?.textContent ?? '',
          [...row.querySelectorAll('td')].map(({ textContent }) => textContent),
        ]),
      ),
    );

export interface ImageRow {
  readonly status: string;
  readonly reference: string;
  readonly reason: string;
  readonly pods: number;
}

/** The rows of images that are shown. */
export const imageRows = (page: Page): Promise<ImageRow[]> =>
  page.locator('#images tbody tr:not(.detail)').evaluateAll((rows) =>
    rows.map((row) => {
      const [status = '', reference = '', reason = ''] = [...row.children].map(
        (cell) => cell.textContent ?? '',
      );
      return {
        status: status.slice(1),
        reference,
        reason,
        pods: Number(row.lastElementChild?.textContent?.replaceAll(',', '')),
      };
    }),
  );

/** Unfolds every row and every list. */
export const unfoldAll = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const opener of document.querySelectorAll<HTMLElement>('button.unfold, summary')) opener.click();
  });
