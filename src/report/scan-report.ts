import type { Effect, ReasonCode } from '../policy/index.ts';
import type { ConfiguredImage, Drift, Notice, ScannedImage, ScannedUse, ScanResult } from '../scan/index.ts';
import { toJunit } from './junit.ts';
import { findOwnerFindings, type OwnerFindings } from './owner-findings.ts';
import type { Report, ReportedCase, ReportedFinding } from './report.ts';
import { toSarif } from './sarif.ts';

const LEVELS = { deny: 'error', warn: 'warning', audit: 'warning', exempt: 'note' } as const;
const EFFECTS = { refused: 'deny', unknown: 'deny', reported: 'audit', exempt: 'exempt' } as const;

type Found = Pick<ReportedFinding, 'code' | 'message' | 'object' | 'image' | 'path'>;

/** A finding that warns or audits in its namespace is tolerated there. */
const findingOf = (found: Found, effect: Effect): ReportedFinding => ({
  ...found,
  level: LEVELS[effect],
  fails: effect === 'deny',
  place: undefined,
});

/** `Deployment/cart` in a namespace as `Deployment shop/cart`. */
const objectOf = ({ namespace, owner }: Pick<ScannedUse, 'namespace' | 'owner'>): string => {
  const [kind = '', ...name] = owner.split('/');
  return `${kind} ${namespace}/${name.join('/')}`;
};

/** Uses whose reason or effect is not listed are left to the image's own. */
const findingsOfImage = (image: ScannedImage): readonly ReportedFinding[] => {
  const { reference, status, message, reason, omittedUses } = image;
  const findings = image.uses.flatMap((use) =>
    use.effect === null || use.reason === null
      ? []
      : [
          findingOf(
            { code: use.reason, message, object: objectOf(use), image: reference, path: use.path },
            use.effect,
          ),
        ],
  );
  if (status === 'verified' || (findings.length > 0 && omittedUses === 0)) return findings;
  const more = findings.length === 0 ? message : `${message} (in ${omittedUses} more places)`;
  const code: ReasonCode = reason ?? 'internal-error';
  return [
    ...findings,
    findingOf({ code, message: more, object: '', image: reference, path: '' }, EFFECTS[status]),
  ];
};

const imageCase = (image: ScannedImage): ReportedCase => ({
  suite: 'images',
  name: image.reference,
  type: image.component ?? 'image',
  place: undefined,
  findings: findingsOfImage(image),
});

/** An owner whose findings no image tells, such as a pod that is refused unread. */
const ownerCase = ({ owner, findings }: OwnerFindings): ReportedCase => {
  const { kind, namespace, name, status, message } = owner;
  const object = `${kind} ${namespace}/${name}`;
  return {
    suite: 'workloads',
    name: object,
    type: kind,
    place: undefined,
    findings: findings.map(({ image, path, code, effect }) =>
      findingOf({ code, message, object, image, path }, effect ?? (status === 'exempt' ? 'exempt' : 'audit')),
    ),
  };
};

const configuredCase = (configured: ConfiguredImage): ReportedCase => {
  const { source, path, reference, status, reason, message } = configured;
  const code: Found['code'] = reason ?? 'not-judged';
  const found = { code, message, object: source, image: reference, path };
  return {
    suite: 'configured images',
    name: `${source} ${path}${reference === '' ? '' : `: ${reference}`}`,
    type: 'configured',
    place: undefined,
    findings: status === 'verified' ? [] : [findingOf(found, EFFECTS[status])],
  };
};

const driftCase = (drift: Drift): ReportedCase => {
  const { status, reference, container, message, running } = drift;
  const object = objectOf(drift);
  const code = status === 'drifted' ? 'digest-drifted' : 'digest-unknown';
  const text = `${message}: ${reference} runs as ${running}`;
  const found = { code, message: text, object, image: reference, path: container } as const;
  return {
    suite: 'running digests',
    name: `${object} container ${container}: ${reference}`,
    type: 'digest',
    place: undefined,
    findings: [{ ...findingOf(found, 'warn'), fails: true }],
  };
};

const noticeCase = ({ kind, severity, subject, message }: Notice): ReportedCase => ({
  suite: 'notices',
  name: `${kind}: ${subject}`,
  type: 'notice',
  place: undefined,
  findings: [
    findingOf(
      { code: kind, message, object: '', image: subject, path: '' },
      severity === 'warning' ? 'warn' : 'exempt',
    ),
  ],
});

/** The result of a scan as a report. */
const scanReport = (result: ScanResult): Report => {
  const { version, complete, durationMs, images, preflight, drift, notices, coverage } = result;
  return {
    command: 'scan',
    version,
    complete,
    durationMs,
    cases: [
      ...images.map(imageCase),
      ...findOwnerFindings(result).map(ownerCase),
      ...preflight.map(configuredCase),
      ...drift.map(driftCase),
      ...notices.map(noticeCase),
    ],
    gaps: [
      ...coverage.notSeen.map(({ resource, why, remedy }) => ({
        subject: resource,
        message: `${why}; ${remedy}`,
      })),
      ...coverage.cut.map((message) => ({ subject: 'limit', message })),
    ],
  };
};

/** Returns the result of a scan as SARIF. */
export const scanToSarif = (result: ScanResult): string => toSarif(scanReport(result));

/** Returns the result of a scan as JUnit's XML. */
export const scanToJunit = (result: ScanResult): string => toJunit(scanReport(result));
