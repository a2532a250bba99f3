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

/** Returns the undetermined reason for a source's fault. */
export const reasonOfFault = (fault: SourceFault): UndeterminedReason =>
  fault.code === 'deadline'
    ? { code: 'deadline-exceeded', asked: fault.asked }
    : { code: `registry-${fault.code}`, detail: fault.message };

/** Returns the undetermined reason for any thrown error. Never throws, whatever `report` does. */
export const reasonOfThrown = (error: unknown, report: ReportError): UndeterminedReason => {
  if (error instanceof SourceFault) return reasonOfFault(error);
  try {
    return { code: 'internal-error', incident: report(error) };
  } catch {
    return { code: 'internal-error', incident: 'unreported' };
  }
};
