import { oneLine } from '../base/index.ts';
import type { Report, ReportedCase, ReportedFinding } from './report.ts';
import { ruleOf } from './rules.ts';

/*
 * JUnit's XML has no owner. These are the elements and attributes that Jenkins (junit-10.xsd), GitLab and Azure all read:
 * a case has at most one of failure, error and skipped, and the counts of a suite are those of its cases.
 */

const MAX_ATTRIBUTE = 1000;
const MAX_NAME = 400;
/** Findings that the text of a case lists. */
const MAX_LISTED = 100;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * One line of character data or of an attribute's value. `oneLine` leaves no character that XML 1.0 forbids (§2.2): control
 * characters, surrogates and noncharacters.
 */
const escaped = (text: string, limit: number): string =>
  oneLine(text, limit).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

type Attributes = Readonly<Record<string, string | number>>;

const attributesOf = (attributes: Attributes, limit: number): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(String(value), limit)}"`)
    .join('');

type Outcome = 'failure' | 'error' | 'skipped';
const OUTCOMES: readonly Outcome[] = ['failure', 'error', 'skipped'];

const outcomeOf = ({ fails, code }: ReportedFinding): Outcome => {
  if (!fails) return 'skipped';
  return ruleOf(code).group === 'unknown' ? 'error' : 'failure';
};

/** A case, its outcome, and the findings that come to it. */
interface Judged {
  readonly each: ReportedCase;
  readonly outcome: Outcome | undefined;
  readonly findings: readonly ReportedFinding[];
}

/** The worst outcome of the findings counts for the case. */
const judge = (each: ReportedCase): Judged => {
  const outcome = OUTCOMES.find((candidate) =>
    each.findings.some((finding) => outcomeOf(finding) === candidate),
  );
  return { each, outcome, findings: each.findings.filter((finding) => outcomeOf(finding) === outcome) };
};

const lineOf = ({ object, path, message, place, code }: ReportedFinding): string => {
  const where = place === undefined ? object : `${place.file}:${place.line}`;
  // A denial names its path and its code itself.
  const isNamed = (text: string): boolean => message.includes(`(${text})`);
  const parts = [where, isNamed(path) ? '' : path, isNamed(code) ? '' : code, message];
  return escaped(parts.filter((part) => part !== '').join(': '), MAX_ATTRIBUTE);
};

const outcomeElement = (outcome: Outcome, findings: readonly ReportedFinding[]): string => {
  const [first] = findings;
  const type = outcome === 'skipped' ? {} : { type: first?.code ?? '' };
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const attributes = attributesOf({ message: `${first?.message ?? ''}${more}`, ...type }, MAX_ATTRIBUTE);
  const lines = findings.slice(0, MAX_LISTED).map(lineOf);
  return `      <${outcome}${attributes}>${lines.join('\n')}</${outcome}>`;
};

const caseElement = (command: Report['command'], { each, outcome, findings }: Judged): string => {
  const { name, type, place } = each;
  const attributes = attributesOf(
    {
      name,
      classname: `sailmark.${command}.${type}`,
      time: '0',
      ...(place === undefined ? {} : { file: place.file, line: place.line }),
    },
    MAX_NAME,
  );
  if (outcome === undefined) return `    <testcase${attributes}/>`;
  return [`    <testcase${attributes}>`, outcomeElement(outcome, findings), '    </testcase>'].join('\n');
};

const countsOf = (judged: readonly Judged[]) => {
  const countOf = (outcome: Outcome): number => judged.filter((each) => each.outcome === outcome).length;
  return { tests: judged.length, failures: countOf('failure'), errors: countOf('error') };
};

const suiteElement = (report: Report, name: string, judged: readonly Judged[]): string => {
  const skipped = judged.filter(({ outcome }) => outcome === 'skipped').length;
  const attributes = attributesOf({ name, ...countsOf(judged), skipped, time: '0' }, MAX_NAME);
  const cases = judged.map((each) => caseElement(report.command, each));
  return [`  <testsuite${attributes}>`, ...cases, '  </testsuite>'].join('\n');
};

/** A resource that could not be seen is a skipped case: nothing is known of it. */
const gapCases = ({ gaps, complete }: Report): readonly Judged[] =>
  [...gaps, ...(complete ? [] : [{ subject: 'the rest', message: 'the command was interrupted' }])].map(
    ({ subject, message }) => {
      const each = { suite: 'not seen', name: subject, type: 'gap', place: undefined, findings: [] };
      const finding = { code: 'not-judged', level: 'note', fails: false, message, object: subject } as const;
      return { each, outcome: 'skipped', findings: [{ ...finding, image: '', path: '', place: undefined }] };
    },
  );

/** Returns a report as JUnit's XML. */
export const toJunit = (report: Report): string => {
  const judged = [...report.cases.map(judge), ...gapCases(report)];
  const suites = Map.groupBy(judged, ({ each }) => each.suite);
  const attributes = attributesOf(
    {
      name: `sailmark ${report.command}`,
      ...countsOf(judged),
      time: ((report.durationMs ?? 0) / 1000).toFixed(3),
    },
    MAX_NAME,
  );
  const elements = [...suites].map(([name, members]) => suiteElement(report, name, members));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes}>`,
    ...elements,
    '</testsuites>\n',
  ].join('\n');
};
