import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { scanToHtml } from '../../src/report/index.ts';
import type { ScanResult } from '../../src/scan/index.ts';

/** A page that was opened from a file, and everything it did that it should not. */
export interface OpenPage {
  readonly page: Page;
  /** Errors, warnings, dialogs, breaches of its policy, and requests but the one for the file. */
  readonly faults: readonly string[];
}

export interface Opener {
  readonly open: (scan: ScanResult, options?: BrowserContextOptions) => Promise<OpenPage>;
  /** Opens a page that is made. */
  readonly openHtml: (html: string, options?: BrowserContextOptions) => Promise<OpenPage>;
  readonly close: () => Promise<void>;
}

const watch = async (page: Page, url: string): Promise<readonly string[]> => {
  const faults: string[] = [];
  page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on('popup', (popup) => faults.push(`popup: ${popup.url()}`));
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url) faults.push(`request: ${request.url()}`);
  });
  await page.exposeFunction('noteViolation', (directive: string) => faults.push(`policy: ${directive}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      (globalThis as unknown as { noteViolation: (directive: string) => void }).noteViolation(
        effectiveDirective,
      );
    });
  });
  return faults;
};

/** Starts the Chromium that CHROMIUM names. Each page gets a profile of its own. */
export const startBrowser = async (): Promise<Opener> => {
  const executablePath = process.env['CHROMIUM'];
  if (executablePath === undefined) throw new Error('CHROMIUM is not set: run .ci/page');
  // Chromium cannot make its sandbox as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser: Browser = await chromium.launch({ executablePath, args });
  const directory = mkdtempSync(join(tmpdir(), 'sailmark-page-'));
  let files = 0;
  const openHtml: Opener['openHtml'] = async (html, options = {}) => {
    const file = join(directory, `scan-${(files += 1)}.html`);
    writeFileSync(file, html);
    const url = pathToFileURL(file).href;
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const faults = options.javaScriptEnabled === false ? [] : await watch(page, url);
    await page.goto(url);
    return { page, faults };
  };
  return {
    open: async (scan, options) => openHtml(await scanToHtml(scan), options),
    openHtml,
    close: async () => {
      await browser.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
