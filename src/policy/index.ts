export { decide, decideFailure, type JudgedReview } from './decide.ts';
export { decidePin, type PinContext, type PinDecision } from './decide-pin.ts';
export type { Decision, Effect, Finding, ImageUse, Judgement, Verdict } from './decision.ts';
export { endOf, matchesImage, patternProblem } from './exemption.ts';
export { explain, explainBriefly, explainRefusal } from './explain.ts';
export { createJudge, type Judge, needsVerification } from './judge.ts';
export { type JudgeLimits, judgeAll, recallAll } from './judge-all.ts';
export {
  groupOf,
  type Reason,
  type ReasonCode,
  type ReasonGroup,
  rankOf,
  reasonCodes,
} from './reason.ts';
export { reasonTable } from './reason-table.ts';
export {
  type Exemption,
  type Mode,
  mustPin,
  type OutageChoice,
  type PinScope,
  type Rules,
} from './rules.ts';
export { remedyOf } from './sentences.ts';
