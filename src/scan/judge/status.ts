import { type Effect, groupOf, type Reason } from '../../policy/index.ts';
import type { ScanStatus } from '../scan-result.ts';

/** Every status, the most serious first. */
export const statuses: readonly ScanStatus[] = ['refused', 'unknown', 'reported', 'exempt', 'verified'];

/** Returns the most serious of several statuses; undefined if there is none. */
export const worstStatus = (of: readonly (ScanStatus | undefined)[]): ScanStatus | undefined =>
  statuses.find((status) => of.includes(status));

/** Returns the rank of a status: 0 is the most serious. */
export const rankOfStatus = (status: ScanStatus): number => statuses.indexOf(status);

/** True if something could not be found out, also where only the missing digest is refused for it. */
const isUndetermined = (reason: Reason): boolean =>
  groupOf(reason.code) === 'undetermined' ||
  (reason.code === 'image-not-pinned' && reason.pin?.undetermined !== undefined);

/** Returns the status of a finding. `effect` is null where no webhook is asked. */
export const statusOf = (reason: Reason, effect: Effect | null): ScanStatus => {
  if (effect === 'exempt') return 'exempt';
  if (isUndetermined(reason)) return 'unknown';
  return effect === 'deny' ? 'refused' : 'reported';
};
