import { onTestFinished } from 'vitest';
import { type Door, openDoor, reasonsOf } from './journey-door.ts';
import { type MirroredImage, startMirror } from './journey-mirror.ts';

/** The webhook, and two images of its mirror: one signed, one not. */
export interface Pair {
  readonly door: Door;
  readonly signed: MirroredImage;
  readonly unsigned: MirroredImage;
  /** Every path asked of the registry so far. */
  requests(): number;
}

export const openPair = async (configuration: object = {}): Promise<Pair> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const door = await openDoor({ ...mirror.configuration, ...configuration });
  const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })];
  return { door, signed, unsigned, requests: () => mirror.registry.requests.length };
};

/** An answer without its texts: how many warnings, and the code of a refusal. */
export const answerTo = async (door: Door, body: object, path = '/validate/enforce') => {
  const answer = await door.ask(path, body);
  return {
    allowed: answer.allowed,
    status: answer.status?.code,
    warnings: answer.warnings?.length ?? 0,
    verdict: answer.auditAnnotations?.['verdict'],
    reasons: reasonsOf(answer),
    skipped: answer.auditAnnotations?.['skipped'],
  };
};

const UNSIGNED = ['signature-missing'];
const nothing = { status: undefined, warnings: 0, skipped: undefined };
export const fine = { ...nothing, allowed: true, verdict: 'allow', reasons: [] };
export const refused = { ...nothing, allowed: false, status: 403, verdict: 'deny', reasons: UNSIGNED };
export const warned = { ...nothing, allowed: true, warnings: 1, verdict: 'warn', reasons: UNSIGNED };
export const noted = { ...nothing, allowed: true, verdict: 'audit', reasons: UNSIGNED };
export const notJudged = (skipped: string) => ({ ...fine, skipped });
