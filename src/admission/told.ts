import { explain, explainBriefly, type Finding, type ReasonCode } from '../policy/index.ts';
import type { Outcome } from './outcome.ts';
import { findRegarding, type Regarding } from './regarding.ts';

/**
 * Of an object that was admitted in spite of findings. A denial is told by whoever was denied: a controller's
 * FailedCreate carries our sentence. An exemption is what the configuration wants, and quiet.
 */
export interface Told {
  /** Undefined: nothing that has a name yet. */
  readonly regarding: Regarding | undefined;
  /** One for each reason and effect: of the first finding of its kind. */
  readonly sentences: readonly {
    readonly code: ReasonCode;
    readonly effect: 'warn' | 'audit';
    /** Whether an outage rule let it through. */
    readonly letThrough: boolean;
    /** One line of at most 512 characters. */
    readonly sentence: string;
  }[];
}

const SENTENCE_LIMIT = 512;

const sentenceOf = (finding: Finding): string =>
  finding.letThrough === undefined
    ? explain(finding.reason, finding.use)
    : explainBriefly(finding, SENTENCE_LIMIT);

const sentencesOf = ({ findings, failure }: Outcome, verdict: 'warn' | 'audit'): Told['sentences'] => {
  if (failure !== undefined)
    return [{ code: failure.code, effect: verdict, letThrough: false, sentence: explain(failure) }];
  const sentences: Told['sentences'][number][] = [];
  for (const finding of findings) {
    const { reason, effect, letThrough } = finding;
    if (effect !== 'warn' && effect !== 'audit') continue;
    if (sentences.some((one) => one.code === reason.code && one.effect === effect)) continue;
    const sentence = sentenceOf(finding);
    sentences.push({ code: reason.code, effect, letThrough: letThrough !== undefined, sentence });
  }
  return sentences;
};

/** As a member of the record, absent where nothing is told: nearly every review, and then nothing is computed. */
export const toldOf = (outcome: Outcome): { readonly told?: Told } => {
  const { request, verdict } = outcome;
  if (request.dryRun || (verdict !== 'warn' && verdict !== 'audit')) return {};
  return { told: { regarding: findRegarding(request), sentences: sentencesOf(outcome, verdict) } };
};
