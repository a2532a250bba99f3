import { type ReportError } from '../base/index.ts';
import { SourceFault } from '../registry/index.ts';
import type { RejectionReason, UndeterminedReason } from './verification.ts';

const UNDETERMINED_CODES: ReadonlySet<string> = new Set<UndeterminedReason['code']>([
  'registry-unavailable',
  'registry-refused',
  'registry-rate-limited',
  'registry-answer-invalid',
  'deadline-exceeded',
  'key-ring-incomplete',
  'internal-error',
]);

export const isUndeterminedReason = (
  reason: RejectionReason | UndeterminedReason,
): reason is UndeterminedReason => UNDETERMINED_CODES.has(reason.code);

/** What a fault of a source means for the verdict. */
export const reasonOfFault = (fault: SourceFault): UndeterminedReason =>
  fault.code === 'deadline'
    ? { code: 'deadline-exceeded', asked: fault.asked }
    : { code: `registry-${fault.code}`, detail: fault.message };

/** The one place where something thrown becomes *undetermined*. Never throws, whatever `report` does. */
export const reasonOfThrown = (error: unknown, report: ReportError): UndeterminedReason => {
  if (error instanceof SourceFault) return reasonOfFault(error);
  try {
    return { code: 'internal-error', incident: report(error) };
  } catch {
    return { code: 'internal-error', incident: 'unreported' };
  }
};
