import { listWithin, oneLine } from '../../base/index.ts';
import type { Remedy, ScannedImage, ScanResult } from '../../scan/index.ts';
import { escapeHtml } from './escape.ts';

/** Rows of each list; the document has them all. */
const MAX_LISTED = 100;
/** UTF-16 code units of a text. */
const MAX_TEXT = 2_000;

const text = (value: string): string => escapeHtml(oneLine(value, MAX_TEXT));

const STATUSES = ['refused', 'unknown', 'reported', 'exempt', 'verified'] as const;

const listOf = <T>(items: readonly T[], toHtml: (item: T) => string): string => {
  const more = items.length - MAX_LISTED;
  const lines = items.slice(0, MAX_LISTED).map((item) => `<li>${toHtml(item)}</li>`);
  if (more > 0) lines.push(`<li>and ${more} more</li>`);
  return `<ul>${lines.join('')}</ul>`;
};

const imageLine = ({ reference, pods, message }: ScannedImage): string =>
  `<code>${text(reference)}</code>, in ${pods} pods: ${text(message)}`;

const remedyLine = ({ title, pods, snippet, images }: Remedy): string => {
  const code = snippet === '' ? '' : `<pre>${escapeHtml(snippet.slice(0, MAX_TEXT))}</pre>`;
  return `${text(title)} (pods: ${pods}; images: ${text(listWithin(images, 300))})${code}`;
};

const section = (title: string, content: string): string => `<h2>${title}</h2>${content}`;

const listSection = <T>(title: string, items: readonly T[], toHtml: (item: T) => string): string =>
  items.length === 0 ? '' : section(title, listOf(items, toHtml));

const numbers = ({ summary }: ScanResult): string => {
  const rows = STATUSES.map(
    (status) =>
      `<tr><th scope="row">${status}</th><td>${summary.pods[status]}</td><td>${summary.images[status]}</td></tr>`,
  );
  return `<table><thead><tr><th scope="col">Status</th><th scope="col">Pods</th><th scope="col">Images</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
};

/** The summary as HTML that needs no script: numbers, what would be refused, what to do, and what was not seen. */
export const plainSummary = (result: ScanResult): string => {
  const withStatus = (status: ScannedImage['status']): readonly ScannedImage[] =>
    result.images.filter((image) => image.status === status);
  return [
    section('Summary', numbers(result)),
    listSection('Images that would be refused', withStatus('refused'), imageLine),
    listSection('Images that could not be determined', withStatus('unknown'), imageLine),
    listSection('Remedies', result.remedies, remedyLine),
    listSection(
      'Not seen',
      result.coverage.notSeen,
      ({ resource, why, remedy }) => `${text(resource)}: ${text(why)}; ${text(remedy)}`,
    ),
    listSection('Cut short', result.coverage.cut, text),
  ].join('');
};
