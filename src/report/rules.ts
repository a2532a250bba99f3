import { groupOf, type ReasonCode, reasonCodes, reasonTable } from '../policy/index.ts';
import type { Notice } from '../scan/index.ts';

/** Codes of findings that no admission has: they stand beside the reasons in reports. */
export type ReportCode = keyof typeof REPORT_ROWS;
export type RuleCode = ReasonCode | ReportCode;

type Row = Pick<Rule, 'meaning' | 'remedy'>;
type FindingCode = 'not-judged' | 'digest-drifted' | 'digest-unknown';

const REPORT_ROWS = {
  'not-judged': {
    meaning:
      'an image that could be from Istio stands where a review does not judge it, or something else chooses it',
    remedy: 'verify the image by name (`sailmark verify`), or review what chooses it in the same run',
  },
  'digest-drifted': {
    meaning: 'a container runs another digest than the one that its image is verified by now',
    remedy: 'restart the pods, so that they run what is verified',
  },
  'digest-unknown': {
    meaning: 'which digest a container runs is not known, or what it would be compared with',
    remedy: 'what the finding says; restart the pods if their status is out of date',
  },
  'version-unsupported': {
    meaning: 'an Istio version runs that has no support any more',
    remedy: 'upgrade Istio',
  },
  'version-support-ends': {
    meaning: 'the support of an Istio version that runs ends soon',
    remedy: 'plan the upgrade of Istio',
  },
  'hub-disappears': {
    meaning: 'images come from a hub that is going to be switched off',
    remedy: 'use the images of `docker.io/istio`, or a mirror of them',
  },
  'key-needed': {
    meaning: 'a key that the next releases are signed with is not in the key ring',
    remedy: 'run `sailmark keys` to see why',
  },
  'key-unpinned': {
    meaning: 'a key is fetched from a URL and not pinned: any key that the URL serves is trusted',
    remedy: '[pin the key](verify-a-release.md#pin-a-key)',
  },
  'pin-differs': {
    meaning:
      'the configuration of the scan pins images and the installed webhook does not, or the other way round',
    remedy: 'scan with the configuration that the release has, or is going to have',
  },
  'exemption-expires': {
    meaning: 'an exemption ends soon, and what it lifts is refused then',
    remedy: 'replace the image before that day, or renew the exemption',
  },
  'exemption-unused': {
    meaning: 'an exemption lifts nothing that runs',
    remedy: 'remove the exemption',
  },
} as const satisfies Readonly<Record<Notice['kind'] | FindingCode, Row>>;

/** The codes of `REPORT_ROWS`. */
export const reportCodes: readonly ReportCode[] = Object.keys(REPORT_ROWS) as ReportCode[];

/** `fault`: refused or rejected. `unknown`: could not be found out. `notice`: refuses nothing. */
type RuleGroup = 'fault' | 'unknown' | 'notice';

export interface Rule {
  readonly code: RuleCode;
  readonly group: RuleGroup;
  /** Markdown; its links are relative to docs/. */
  readonly meaning: string;
  readonly remedy: string;
}

const isReason = (code: RuleCode): code is ReasonCode => Object.hasOwn(reasonTable, code);

const GROUPS: Readonly<Partial<Record<ReportCode, RuleGroup>>> = {
  'not-judged': 'unknown',
  'digest-drifted': 'fault',
  'digest-unknown': 'unknown',
};

/** Returns what a code means. */
export const ruleOf = (code: RuleCode): Rule => {
  if (!isReason(code)) return { code, group: GROUPS[code] ?? 'notice', ...REPORT_ROWS[code] };
  return { code, group: groupOf(code) === 'undetermined' ? 'unknown' : 'fault', ...reasonTable[code] };
};

/** Every rule, the reasons first, in an order that only grows at its end within each part. */
export const rules: readonly Rule[] = [...reasonCodes, ...reportCodes].map(ruleOf);

/** Markdown of a rule as plain text: a link is its words, and the page below docs/ in brackets. */
export const plainText = (markdown: string): string =>
  markdown.replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, (_link, words: string, target: string) =>
    target.startsWith('#') ? `${words} (docs/reasons.md${target})` : `${words} (docs/${target})`,
  );
