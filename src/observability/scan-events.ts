import { createHash } from 'node:crypto';
import type { ClusterEvent } from './cluster-event.ts';
import { cutToNote, toUpperCamelCase } from './event-draft.ts';

/** An owner whose answer has changed since the scan before. */
export interface ScanChange {
  readonly namespace: string;
  readonly regarding: ClusterEvent['regarding'];
  /** The most serious reason code; undefined: nothing is found any more. */
  readonly code: string | undefined;
  /** The sentence of the finding. */
  readonly message: string;
}

const CONTROLLER = 'sailmark.dev/scan';
const MAX_INSTANCE_BYTES = 128;

/** Returns the Event on a change. The same change of the same scan has the same name, so that it is written once. */
export const scanEventOf = (
  { namespace, regarding, code, message }: ScanChange,
  { instance, eventTime }: { readonly instance: string; readonly eventTime: number },
): ClusterEvent => {
  const subject = [namespace, regarding.kind, regarding.name, regarding.uid, code, eventTime].join('\n');
  const isFound = code !== undefined;
  return {
    name: `sailmark-scan.${createHash('sha256').update(subject).digest('hex').slice(0, 24)}`,
    namespace,
    regarding,
    reason: isFound ? toUpperCamelCase(code) : 'ImagesVerified',
    action: 'Scan',
    note: cutToNote(isFound ? `found by a scan: ${message}` : `no longer found by a scan: ${message}`),
    type: isFound ? 'Warning' : 'Normal',
    eventTime,
    reportingController: CONTROLLER,
    reportingInstance: instance.slice(0, MAX_INSTANCE_BYTES),
  };
};
