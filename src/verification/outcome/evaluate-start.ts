import type { ImageStart } from '../configuration/image-start.ts';
import type { VerificationRequest } from '../verification.ts';
import type { Evaluation } from './evaluate-signatures.ts';

export type Satisfied = Extract<Evaluation, { satisfied: true }>;

const lastSegmentOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/**
 * Compares what an image starts with the requested component, where its signatures name none. It can refuse what they
 * satisfy, and never the other way round. The start of another known component is a mismatch; an unknown one proves
 * nothing.
 */
export const evaluateStart = (
  evaluation: Satisfied,
  { word }: ImageStart,
  { component: asked, componentOfStart }: VerificationRequest,
): Evaluation => {
  const started = word === undefined ? undefined : componentOfStart(word);
  if (word === undefined || started === undefined || asked === undefined) return evaluation;
  if (started === asked) return { ...evaluation, componentProven: true, componentProvenBy: 'configuration' };
  const starts = lastSegmentOf(word);
  return { satisfied: false, reason: { code: 'component-mismatch', asked, signed: started, starts } };
};
