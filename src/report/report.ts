import type { RuleCode } from './rules.ts';

/*
 * The findings of a review or a scan, for the formats that other programs read. Text in it comes from manifests, clusters and
 * registries, and is not trusted: each format escapes and bounds it.
 */

/** A position in a file. */
export interface Place {
  /** With slashes; relative to the working directory if it is below it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One thing that was found. */
export interface ReportedFinding {
  readonly code: RuleCode;
  /** `note`: an exemption lifts it, or it only is to be known. */
  readonly level: 'error' | 'warning' | 'note';
  /** False if it is tolerated: what was checked does not fail because of it. */
  readonly fails: boolean;
  /** One sentence, or a denial verbatim. */
  readonly message: string;
  /** `Deployment shop/cart`; empty if no object is to blame. */
  readonly object: string;
  /** Empty if no image is to blame. */
  readonly image: string;
  /** Where in the object: `spec.initContainers[0].image`. Empty if nowhere. */
  readonly path: string;
  /** Undefined if the object was in no file. */
  readonly place: Place | undefined;
}

/** A thing that was checked: an object of a review, or an image of a scan. Without findings it is good. */
export interface ReportedCase {
  /** The file, or the part of a scan. */
  readonly suite: string;
  readonly name: string;
  /** The kind of an object, or the component of an image. */
  readonly type: string;
  readonly place: Place | undefined;
  readonly findings: readonly ReportedFinding[];
}

/** The resources that could not be seen, and so are in no case. */
export interface Gap {
  readonly subject: string;
  readonly message: string;
}

export interface Report {
  /** The command that made it. */
  readonly command: 'review' | 'scan';
  /** The version of sailmark. */
  readonly version: string;
  /** False if the command was interrupted. */
  readonly complete: boolean;
  readonly cases: readonly ReportedCase[];
  readonly gaps: readonly Gap[];
  /** Milliseconds; undefined if nobody measured it. */
  readonly durationMs?: number;
}

const LEVELS = ['error', 'warning', 'note'] as const;

/** Every finding, errors first, otherwise in the order of the cases. */
export const findingsOf = ({ cases }: Report): readonly ReportedFinding[] => {
  const findings = cases.flatMap((each) => each.findings);
  return LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level));
};
