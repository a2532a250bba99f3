import { largeScan } from '../support/large-scan.ts';
import { startBrowser } from './browser.ts';

/*
 * Writes a picture of the page, of a cluster with something to do, into the file that the first argument names.
 */

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name a file');
const browser = await startBrowser();
const { page } = await browser.open(largeScan(60), {
  viewport: { width: 1280, height: 1_000 },
  colorScheme: 'light',
});
await page.screenshot({ path: file });
await browser.close();
