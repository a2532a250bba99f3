import { explain, explainBriefly, type Finding, type ReasonCode } from '../policy/index.ts';
import { findRegarding, type Regarding } from './regarding.ts';
import type { ReviewResult } from './review-result.ts';

/**
 * The Events to write on an object that was admitted in spite of findings. A denial needs no Event: the
 * controller's FailedCreate contains it. An exempted finding is intended and has no Event.
 */
export interface EventSummary {
  /** Undefined if neither the object nor its controller has a name yet. */
  readonly regarding: Regarding | undefined;
  readonly effect: 'warn' | 'audit';
  /** One for each reason code, from the first finding that has it. */
  readonly sentences: readonly {
    readonly code: ReasonCode;
    /** True if an outage rule allows the image. */
    readonly letThrough: boolean;
    /** One line of at most 512 characters. */
    readonly sentence: string;
  }[];
}

const MAX_SENTENCE_LENGTH = 512;

const sentenceOf = (finding: Finding): string =>
  finding.allowedBecause === undefined
    ? explain(finding.reason, finding.use)
    : explainBriefly(finding, MAX_SENTENCE_LENGTH);

const sentencesOf = ({ findings, failure }: ReviewResult): EventSummary['sentences'] => {
  if (failure !== undefined) return [{ code: failure.code, letThrough: false, sentence: explain(failure) }];
  const sentences: EventSummary['sentences'][number][] = [];
  for (const finding of findings) {
    const { code } = finding.reason;
    if (finding.effect === 'exempt' || sentences.some((sentence) => sentence.code === code)) continue;
    sentences.push({ code, letThrough: finding.allowedBecause !== undefined, sentence: sentenceOf(finding) });
  }
  return sentences;
};

/**
 * Returns the member `told` of the record. Nearly every review has no Event: then nothing is computed. That of a workload
 * has none: its webhook declares no side effects, and its Pods have theirs.
 */
export const eventSummaryOf = (result: ReviewResult): { readonly told?: EventSummary } => {
  const { request, verdict, context } = result;
  if (request.dryRun || context.workloads === true || (verdict !== 'warn' && verdict !== 'audit')) return {};
  return { told: { regarding: findRegarding(request), effect: verdict, sentences: sentencesOf(result) } };
};
