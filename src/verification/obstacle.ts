import { SourceFault } from '../registry/index.ts';
import type { Obstacle, Rejection } from './verification.ts';

/** Writes down what nobody expected and returns the incident's id. */
export type Report = (error: unknown) => string;

const OBSTACLES: ReadonlySet<string> = new Set<Obstacle['code']>([
  'registry-unavailable',
  'registry-refused',
  'registry-rate-limited',
  'registry-answer-invalid',
  'deadline-exceeded',
  'key-ring-incomplete',
  'internal-error',
]);

export const isObstacle = (reason: Rejection | Obstacle): reason is Obstacle => OBSTACLES.has(reason.code);

/** What a fault of a source means for the verdict. */
export const obstacleOf = (fault: SourceFault): Obstacle =>
  fault.code === 'deadline'
    ? { code: 'deadline-exceeded', asked: fault.asked }
    : { code: `registry-${fault.code}`, detail: fault.message };

/** The one place where something thrown becomes *undetermined*. Never throws, whatever `report` does. */
export const obstacleOfThrown = (error: unknown, report: Report): Obstacle => {
  if (error instanceof SourceFault) return obstacleOf(error);
  try {
    return { code: 'internal-error', incident: report(error) };
  } catch {
    return { code: 'internal-error', incident: 'unreported' };
  }
};
