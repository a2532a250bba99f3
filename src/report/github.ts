import { oneLine } from '../base/index.ts';
import { count } from './count.ts';
import { findingsOf, type Report, type ReportedFinding } from './report.ts';

/*
 * Workflow commands of GitHub Actions. The runner takes a line for a command if it begins with `::`, after blanks, or has
 * `##[` anywhere. It shows ten errors, ten warnings and ten notices of a step.
 */

const MAX_ANNOTATIONS = 10;
/** Further findings that are printed as plain lines. */
const MAX_LINES = 1000;
const MAX_MESSAGE = 1000;
const MAX_TITLE = 200;

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** The escapes of actions/toolkit (`packages/core/src/command.ts`) for a command's message. */
const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** The escapes for the value of a command's property. */
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** A text inside a line that is to be no command. */
const plain = (text: string): string => oneLine(text, MAX_MESSAGE).replaceAll('##[', '## [');

const titleOf = ({ object, code }: ReportedFinding): string =>
  object === '' ? code : `${oneLine(object, MAX_TITLE)}: ${code}`;

const toCommand = (finding: ReportedFinding): string => {
  const { level, place, message } = finding;
  const properties = [
    ...(place === undefined ? [] : [`file=${escapeProperty(place.file)}`, `line=${place.line}`]),
    `title=${escapeProperty(titleOf(finding))}`,
  ];
  return `::${COMMANDS[level]} ${properties.join(',')}::${escapeData(oneLine(message, MAX_MESSAGE))}`;
};

const toLine = (finding: ReportedFinding): string => {
  const { level, place, message } = finding;
  const where = place === undefined ? '' : ` ${place.file}:${place.line}:`;
  return plain(`${COMMANDS[level]}:${where} ${titleOf(finding)}: ${message}`);
};

/** Returns a report as workflow commands: as many as GitHub shows, the rest as lines, and a count. */
export const toGithub = (report: Report): string => {
  const findings = findingsOf(report);
  const shown = (['error', 'warning', 'note'] as const).flatMap((level) =>
    findings.filter((finding) => finding.level === level).slice(0, MAX_ANNOTATIONS),
  );
  const isShown = new Set(shown);
  const rest = findings.filter((finding) => !isShown.has(finding));
  const omitted = rest.length - MAX_LINES;
  const countOf = (level: ReportedFinding['level'], noun: string): string =>
    count(findings.filter((finding) => finding.level === level).length, noun);
  return [
    ...shown.map(toCommand),
    ...rest.slice(0, MAX_LINES).map(toLine),
    ...(omitted > 0 ? [`${omitted} more findings are not listed`] : []),
    `sailmark ${report.command}: ${report.cases.length} checked, ${countOf('error', 'error')}, ${countOf('warning', 'warning')}, ${countOf('note', 'notice')}\n`,
  ].join('\n');
};
