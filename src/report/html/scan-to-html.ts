import { createHash } from 'node:crypto';
import { oneLine } from '../../base/index.ts';
import type { ScanResult } from '../../scan/index.ts';
import { answerOf } from '../answer.ts';
import { escapeHtml, toScriptJson } from './escape.ts';
import { readPageParts } from './page-parts.ts';
import { plainSummary } from './plain-summary.ts';

const sourceOf = (content: string): string =>
  `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/**
 * The policy that the page states about itself: its one script and its one style, and no request to anywhere. The script
 * cannot turn a text into markup or code, because no trusted type exists that could hold it.
 */
const contentPolicy = (script: string, style: string): string =>
  [
    "default-src 'none'",
    `script-src ${sourceOf(script)}`,
    `style-src ${sourceOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

/** Replaces each `{{name}}` once: a value that contains `{{name}}` stays as it is. */
const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);

/**
 * Returns a scan as one HTML page that contains everything it needs, and that nothing leaves: no request, no link to
 * elsewhere. Texts of the cluster reach it as JSON, and as escaped text for readers without a script.
 */
export const scanToHtml = async (result: ScanResult): Promise<string> => {
  const { html, style, script } = await readPageParts();
  const answer = answerOf(result);
  return `${fill(html, {
    answer: escapeHtml(oneLine(answer, 500)),
    data: toScriptJson(result),
    plain: plainSummary(result),
    policy: escapeHtml(contentPolicy(script, style)),
    script,
    style,
  })}\n`;
};
