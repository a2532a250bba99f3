import type { EventSummary, ReviewRecord } from '../admission/index.ts';
import type { ClusterEvent } from './cluster-event.ts';

/** An Event before its name, its series and the reporting process are added. */
export type EventDraft = Omit<ClusterEvent, 'name' | 'series' | 'reportingController' | 'reportingInstance'>;

/** The maximum length of a note (NoteLengthLimit, k8s.io/kubernetes/pkg/apis/core/validation/events.go). */
const MAX_NOTE_BYTES = 1024;

/** Cuts a text to the length of a note, never within a character. */
export const cutToNote = (text: string): string =>
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(MAX_NOTE_BYTES)).read);

/** Converts a reason code to the UpperCamelCase of the API conventions: `signature-missing` to `SignatureMissing`. */
export const toUpperCamelCase = (code: string): string =>
  code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

const ACTIONS = { warn: 'Warn', audit: 'Audit' } as const;

/** Drafts the Events on the object of a review, one for each reason code; `eventTime` is in milliseconds. */
export const draftEvents = (
  { namespace, mode }: Pick<ReviewRecord, 'namespace' | 'mode'>,
  { effect, sentences }: Pick<EventSummary, 'effect' | 'sentences'>,
  regarding: ClusterEvent['regarding'],
  eventTime: number,
): readonly EventDraft[] =>
  sentences.map(({ code, letThrough, sentence }) => ({
    namespace,
    regarding,
    reason: toUpperCamelCase(code),
    action: letThrough ? 'LetThrough' : ACTIONS[effect],
    note: cutToNote(`admitted in ${mode} mode: ${sentence}`),
    type: 'Warning',
    eventTime,
  }));
