import type { KeyRing } from '../keys/key-ring.ts';
import type { RejectionReason, ValidSignature, VerificationRequest } from '../verification.ts';

/** What the valid signatures of a digest come to in one use. */
export type Selection =
  | {
      readonly satisfied: true;
      readonly signatures: readonly [ValidSignature, ...ValidSignature[]];
      readonly componentProven: boolean;
    }
  /** `reason` is undefined where no key that made one is in the ring. */
  | { readonly satisfied: false; readonly reason: RejectionReason | undefined };

const NONE: Selection = { satisfied: false, reason: undefined };

const notForPlace = (keyId: string, { places, reference }: VerificationRequest): RejectionReason => ({
  code: 'signer-untrusted',
  detail: `key ${keyId} may not sign for ${places[0] ?? reference.repository.name}`,
});

/** Whether the key counts for this use; undefined: it is not in the ring. */
const maySign = (keyId: string, ring: KeyRing, places: readonly string[]): boolean | undefined => {
  const key = ring.keys.get(keyId);
  return key && (key.for === undefined || key.for.some((place) => places.includes(place)));
};

const isSome = (
  signatures: readonly ValidSignature[],
): signatures is readonly [ValidSignature, ...ValidSignature[]] => signatures.length > 0;

const isProven = ({ logged }: ValidSignature): boolean => logged !== undefined && 'proof' in logged;

/** Of signatures by keys that may sign, those that the log proves, where it must. */
const selectByLog = (
  usable: readonly [ValidSignature, ...ValidSignature[]],
  requireLog: boolean,
): readonly [ValidSignature, ...ValidSignature[]] | RejectionReason => {
  const proven = requireLog ? usable.filter(isProven) : usable;
  if (isSome(proven)) return proven;
  const [{ logged }] = usable;
  const detail = logged !== undefined && 'problem' in logged ? logged.problem : 'the log was not asked';
  return { code: 'transparency-log-unproven', detail };
};

/** Of signatures that count, those that do not speak of another component, unless none speaks of the one asked for. */
const selectByComponent = (
  usable: readonly [ValidSignature, ...ValidSignature[]],
  asked: string,
  componentOf: VerificationRequest['componentOf'],
): Selection => {
  const named = usable.map(({ signedReference }) =>
    signedReference === undefined ? undefined : componentOf(signedReference),
  );
  const other = named.find((name) => name !== undefined && name !== asked);
  const componentProven = named.includes(asked);
  const signatures = usable.filter((_, place) => (named[place] ?? asked) === asked);
  // A signature that names no component proves nothing against one that names another.
  if (!isSome(signatures) || (other !== undefined && !componentProven))
    return { satisfied: false, reason: { code: 'component-mismatch', asked, signed: other ?? '' } };
  return { satisfied: true, signatures, componentProven };
};

/**
 * Applies this use's limits (design.md, "Memory" and "The component"): the key is in the ring now and may sign for
 * this place, the log has it if it must, and the component fits. Called at every use, remembered or not.
 */
export const selectSignatures = (
  held: readonly ValidSignature[],
  question: VerificationRequest,
  { ring, requireLog }: { readonly ring: KeyRing; readonly requireLog: boolean },
): Selection => {
  const { places, component, componentOf } = question;
  const allowed = held.filter(({ keyId }) => maySign(keyId, ring, places) === true);
  if (isSome(allowed)) {
    const usable = selectByLog(allowed, requireLog);
    if ('code' in usable) return { satisfied: false, reason: usable };
    return component === undefined
      ? { satisfied: true, signatures: usable, componentProven: false }
      : selectByComponent(usable, component, componentOf);
  }
  const limited = held.find(({ keyId }) => maySign(keyId, ring, places) === false);
  return limited === undefined ? NONE : { satisfied: false, reason: notForPlace(limited.keyId, question) };
};
