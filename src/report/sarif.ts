import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { oneLine } from '../base/index.ts';
import { findingsOf, type Place, type Report, type ReportedFinding } from './report.ts';
import { plainText, type Rule, ruleOf, rules } from './rules.ts';

/*
 * SARIF 2.1.0 (OASIS, errata 01), within what GitHub code scanning accepts: it refuses a file with more than 25,000
 * results, shows 5,000 of a run, and needs a location of every result.
 */

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const MAX_RESULTS = 5000;
/** Characters of a message; GitHub cuts those of rules at 1,024. */
const MAX_MESSAGE = 1000;
const MAX_NAME = 300;
const MAX_GAPS = 100;

/** GitHub calls 7.0 and more high, 4.0 and more medium, less low. */
const SEVERITIES: Readonly<Record<Rule['group'], string>> = { fault: '8.0', unknown: '5.0', notice: '2.0' };
const RULE_LEVELS = { fault: 'error', unknown: 'error', notice: 'warning' } as const;

/**
 * A message string in which nothing is a placeholder (§3.11.5: braces are doubled) and nothing is an embedded link
 * (§3.11.6: `[words](target)`), which a viewer would make clickable.
 */
const messageOf = (text: string): string =>
  oneLine(text, MAX_MESSAGE)
    .replaceAll(/[{}]/g, (brace) => brace + brace)
    .replaceAll('](', '] (');

const toRule = ({ code, group, meaning, remedy }: Rule): object => {
  const what = messageOf(plainText(meaning));
  const help = `${what}. What to do: ${messageOf(plainText(remedy))}. \`sailmark explain ${code}\` says more.`;
  return {
    id: code,
    shortDescription: { text: what },
    fullDescription: { text: what },
    help: { text: help, markdown: help },
    defaultConfiguration: { level: RULE_LEVELS[group] },
    properties: {
      tags: ['security', 'supply-chain', 'kubernetes', 'istio'],
      'security-severity': SEVERITIES[group],
    },
  };
};

const uriOf = (path: string): string =>
  path
    .split('/')
    .map((segment) => encodeURIComponent(segment.toWellFormed()))
    .join('/');

const isAbsolute = (file: string): boolean => /^(?:\/|[A-Za-z]:)/.test(file);

/** The file, or, because GitHub needs one, a name for the object as if it were a file. */
const artifactOf = (place: Place | undefined, { object, image }: ReportedFinding): object => {
  if (place !== undefined)
    return isAbsolute(place.file)
      ? { uri: pathToFileURL(place.file.toWellFormed()).href }
      : { uri: uriOf(place.file), uriBaseId: '%SRCROOT%' };
  const name = object === '' ? `image/${image}` : object.replace(' ', '/');
  return { uri: uriOf(`cluster/${oneLine(name, MAX_NAME)}`), uriBaseId: '%SRCROOT%' };
};

const locationOf = (finding: ReportedFinding): object => {
  const { object, path, place } = finding;
  const name = oneLine(object, MAX_NAME);
  const inside = path === '' ? name : `${name}/${oneLine(path, MAX_NAME)}`;
  return {
    physicalLocation: {
      artifactLocation: artifactOf(place, finding),
      region: { startLine: place?.line ?? 1 },
    },
    ...(object === '' ? {} : { logicalLocations: [{ name, fullyQualifiedName: inside, kind: 'object' }] }),
  };
};

/**
 * The same finding has the same fingerprint in the next run, wherever its line is then. Equal ones are numbered. A file's
 * `primaryLocationLineHash` is left to GitHub, which computes it from the file and warns of any other; a cluster has no file.
 */
const createFingerprints = (): ((finding: ReportedFinding) => Readonly<Record<string, string>>) => {
  const counts = new Map<string, number>();
  return ({ code, object, image, path, place }) => {
    const identity = JSON.stringify([code, place?.file ?? null, object, path, image]);
    const hash = createHash('sha256').update(identity).digest('hex').slice(0, 32);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    const fingerprint = `${hash}:${count}`;
    return {
      'sailmark/v1': fingerprint,
      ...(place === undefined ? { primaryLocationLineHash: fingerprint } : {}),
    };
  };
};

const indexes: ReadonlyMap<string, number> = new Map(rules.map(({ code }, index) => [code, index]));

const toResult = (finding: ReportedFinding, fingerprints: Readonly<Record<string, string>>): object => {
  const { code, level, message } = finding;
  const isExempt = level === 'note' && ruleOf(code).group !== 'notice';
  return {
    ruleId: code,
    ruleIndex: indexes.get(code),
    level,
    message: { text: messageOf(message) },
    locations: [locationOf(finding)],
    partialFingerprints: fingerprints,
    ...(isExempt ? { suppressions: [{ kind: 'external', status: 'accepted' }] } : {}),
  };
};

const notificationsOf = (report: Report, found: number): readonly object[] => {
  const gaps = report.gaps.slice(0, MAX_GAPS).map(({ subject, message }) => `${subject}: ${message}`);
  const more = report.gaps.length - gaps.length;
  return [
    ...(report.complete ? [] : ['the command was interrupted: there may be more']),
    ...(found > MAX_RESULTS ? [`${found - MAX_RESULTS} of ${found} findings are left out`] : []),
    ...gaps,
    ...(more > 0 ? [`${more} more could not be seen`] : []),
  ].map((text) => ({ level: 'warning', message: { text: messageOf(text) } }));
};

/** Returns a report as SARIF, errors first. */
export const toSarif = (report: Report): string => {
  const findings = findingsOf(report);
  const fingerprintsOf = createFingerprints();
  const notifications = notificationsOf(report, findings.length);
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'sailmark', semanticVersion: report.version, rules: rules.map(toRule) },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: report.complete,
            ...(notifications.length === 0 ? {} : { toolExecutionNotifications: notifications }),
          },
        ],
        results: findings.slice(0, MAX_RESULTS).map((finding) => toResult(finding, fingerprintsOf(finding))),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
};
