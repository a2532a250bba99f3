import { type ReportError } from '../base/index.ts';
import { SourceFault } from '../registry/index.ts';
import type { RejectionReason, UndeterminedReason } from './verification.ts';

/** Every undetermined code; one that is missing would count as a rejection, so it does not compile. */
const UNDETERMINED_CODES = {
  'registry-unavailable': true,
  'registry-backend-unavailable': true,
  'registry-refused': true,
  'registry-rate-limited': true,
  'registry-answer-invalid': true,
  'deadline-exceeded': true,
  'request-budget-exceeded': true,
  'key-ring-incomplete': true,
  'internal-error': true,
} as const satisfies Record<UndeterminedReason['code'], true>;

export const isUndeterminedReason = (
  reason: RejectionReason | UndeterminedReason,
): reason is UndeterminedReason => Object.hasOwn(UNDETERMINED_CODES, reason.code);

/** Returns the undetermined reason for a source's fault. */
export const reasonOfFault = (fault: SourceFault): UndeterminedReason =>
  fault.code === 'deadline'
    ? { code: 'deadline-exceeded', asked: fault.asked }
    : {
        code: `registry-${fault.code}`,
        detail: fault.message,
        ...(fault.remedy === undefined ? {} : { remedy: fault.remedy }),
      };

/** Returns the undetermined reason for any thrown error. Never throws, whatever `report` does. */
export const reasonOfThrown = (error: unknown, report: ReportError): UndeterminedReason => {
  if (error instanceof SourceFault) return reasonOfFault(error);
  try {
    return { code: 'internal-error', incident: report(error) };
  } catch {
    return { code: 'internal-error', incident: 'unreported' };
  }
};
