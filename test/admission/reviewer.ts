import { createReviewer, type Reviewer } from '../../src/admission/index.ts';
import { createClassifier } from '../../src/istio/index.ts';
import { createJudge, type Rules } from '../../src/policy/index.ts';
import type { Verifier } from '../../src/verification/index.ts';
import { rules, withoutMemory } from '../support/verdicts.ts';

export const NOW = Date.parse('2026-11-24T12:00:00Z');

/** A reviewer with these rules and the verdicts of `verify`. Images of Docker Hub's `istio` are Istio's. */
export const reviewerBy = (
  verify: Verifier['verify'],
  withRules: Partial<Rules> = {},
  report: (error: unknown) => string = () => 'incident-1',
): Reviewer => {
  const ofRules = rules(withRules);
  const judge = createJudge({
    ...createClassifier({ hubs: ['docker.io/istio'], mirrors: [] }),
    verifier: withoutMemory(verify),
    revoked: ofRules.revoked,
    exemptions: ofRules.exemptions,
  });
  const limits = { imagesPerReview: 4, verificationsAtOnce: 2 };
  return createReviewer({ judge, rules: ofRules, limits, now: () => NOW, report });
};
