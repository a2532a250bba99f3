import type { EventSummary, ReviewRecord } from '../admission/index.ts';
import type { ClusterEvent } from './cluster-event.ts';

/** An Event without what its process and its series add. */
export type EventDraft = Omit<ClusterEvent, 'name' | 'series' | 'reportingController' | 'reportingInstance'>;

/** Bytes of a note (NoteLengthLimit, k8s.io/kubernetes/pkg/apis/core/validation/events.go). */
const MAX_NOTE_BYTES = 1024;

/** The beginning of the text that fits in a note; no character is cut in two. */
const cutToNote = (text: string): string =>
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(MAX_NOTE_BYTES)).read);

/** A reason is in UpperCamelCase, as the API conventions have it: `signature-missing` is `SignatureMissing`. */
const toUpperCamelCase = (code: string): string =>
  code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

const ACTIONS = { warn: 'Warn', audit: 'Audit' } as const;

/** The Events on an object that a review's record asks for; `eventTime` in milliseconds. */
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
