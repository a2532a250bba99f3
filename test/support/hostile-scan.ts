import type { ScanResult } from '../../src/scan/index.ts';
import { exampleScan } from './example-scan.ts';

/** Texts that end an element, begin a comment, are markup, code or a URL, break a line, or are no valid Unicode. */
export const HOSTILE_TEXTS: readonly string[] = [
  '</script><script>alert(1)</script>',
  '</SCRIPT\n><img src=x onerror=alert(1)>',
  '<!--<script>',
  '-->',
  ']]><b>',
  '</title></style></noscript><svg onload=alert(1)>',
  '"><a href="javascript:alert(1)">',
  "' onmouseover='alert(1)",
  'javascript:alert(1)',
  '&lt;img src=x&gt;&amp;&#60;',
  '{{policy}}$&$1`${alert(1)}',
  'line\u2028separator\u2029paragraph',
  '\u202egnp.exe\u2066\u200b',
  '\u0000\u001b[31m\u0007\r\n',
  'lone \ud800 surrogates \udfff',
  '__proto__',
  '日本語 🏴‍☠️ '.repeat(10),
  'x'.repeat(10_000),
];

/** Members whose values are words of a closed set, or that a scan makes itself. */
const CLOSED = new Set([
  'schema',
  'startedAt',
  'status',
  'mode',
  'pin',
  'effect',
  'kind',
  'severity',
  'language',
  'format',
  'supportEnds',
  'date',
]);

const replaceTexts = (value: unknown, text: string, name = ''): unknown => {
  if (typeof value === 'string') return CLOSED.has(name) ? value : text;
  if (Array.isArray(value)) return value.map((item) => replaceTexts(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [member, replaceTexts(inner, text, member)]),
  );
};

/** The example with this text in every place that may hold a text of the cluster. */
export const hostileScan = (text: string): ScanResult => replaceTexts(exampleScan(), text) as ScanResult;
