import type { ScanResult } from '../../scan/index.ts';
import { coverageSection, rulesSection } from './coverage.ts';
import { imageSection, verifiedSection } from './images.ts';
import type { Page } from './layout.ts';
import { driftSection, noticeSection, preflightSection, remedySection, versionSection } from './sections.ts';
import { answerLines, summaryLines } from './summary.ts';
import { withoutCommands } from './without-commands.ts';

/**
 * Returns the text report of a scan: a summary of at most one screen, the details below it, and the answer once more at
 * the end, where a terminal stands when all is printed. Text of the cluster is printable, and bounded in length and number.
 */
export const toText = (result: ScanResult, page: Page): string => {
  const lines = [
    ...summaryLines(result, page),
    ...imageSection('refused', result, page),
    ...imageSection('unknown', result, page),
    ...imageSection('reported', result, page),
    ...remedySection(result, page),
    ...preflightSection(result, page),
    ...driftSection(result, page),
    ...noticeSection(result, page),
    ...versionSection(result, page),
    ...imageSection('exempt', result, page),
    ...verifiedSection(result, page),
    ...rulesSection(result, page),
    ...coverageSection(result, page),
    '',
    ...answerLines(result, page),
  ];
  return withoutCommands(`${lines.join('\n')}\n`);
};
