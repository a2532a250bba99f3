export type { Decision, Finding, ImageUse, Judgement } from './decision.ts';
export type { Reason, ReasonCode, Refusal } from './reason.ts';
export type { Exemption, Mode, OutageChoice, Rules } from './rules.ts';
