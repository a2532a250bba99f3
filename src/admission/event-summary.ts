import { explain, explainBriefly, type Finding, type ReasonCode } from '../policy/index.ts';
import { findRegarding, type Regarding } from './regarding.ts';
import type { ReviewResult } from './review-result.ts';

/**
 * Of an object that was admitted in spite of findings. A denial is told by whoever was denied: a controller's
 * FailedCreate carries our sentence. An exemption is what the configuration wants, and quiet.
 */
export interface EventSummary {
  /** Undefined: nothing that has a name yet. */
  readonly regarding: Regarding | undefined;
  readonly effect: 'warn' | 'audit';
  /** One for each reason: of the first finding that has it. */
  readonly sentences: readonly {
    readonly code: ReasonCode;
    /** Whether an outage rule let it through. */
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
    if (finding.effect === 'exempt' || sentences.some((one) => one.code === code)) continue;
    sentences.push({ code, letThrough: finding.allowedBecause !== undefined, sentence: sentenceOf(finding) });
  }
  return sentences;
};

/** As a member of the record, absent where nothing is told: nearly every review, and then nothing is computed. */
export const eventSummaryOf = (outcome: ReviewResult): { readonly told?: EventSummary } => {
  const { request, verdict } = outcome;
  if (request.dryRun || (verdict !== 'warn' && verdict !== 'audit')) return {};
  return { told: { regarding: findRegarding(request), effect: verdict, sentences: sentencesOf(outcome) } };
};
