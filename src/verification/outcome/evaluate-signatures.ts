import type { KeyRing } from '../keys/key-ring.ts';
import type { RejectionReason, ValidSignature, VerificationRequest } from '../verification.ts';

type Signatures = readonly [ValidSignature, ...ValidSignature[]];

/** The valid signatures of a digest that satisfy one use. */
export type Evaluation =
  | {
      readonly satisfied: true;
      readonly signatures: Signatures;
      readonly componentProven: boolean;
      readonly componentProvenBy?: 'configuration';
    }
  /** `reason` is undefined if no key that made a signature is in the key ring. */
  | { readonly satisfied: false; readonly reason: RejectionReason | undefined };

const NONE: Evaluation = { satisfied: false, reason: undefined };

const notForPlace = (keyId: string, { places, reference }: VerificationRequest): RejectionReason => ({
  code: 'signer-untrusted',
  detail: `key ${keyId} may not sign for ${places[0] ?? reference.repository.name}`,
});

/** Reports whether the key may sign for one of these places; undefined if it is not in the key ring. */
const maySign = (keyId: string, ring: KeyRing, places: readonly string[]): boolean | undefined => {
  const key = ring.keys.get(keyId);
  return key && (key.for === undefined || key.for.some((place) => places.includes(place)));
};

const isNotEmpty = (signatures: readonly ValidSignature[]): signatures is Signatures => signatures.length > 0;

const isProven = ({ logged }: ValidSignature): boolean => logged !== undefined && 'proof' in logged;

/** Selects the signatures that the transparency log proves; all of them if the log is not required. */
const selectByLog = (allowed: Signatures, requireLog: boolean): Signatures | RejectionReason => {
  const proven = requireLog ? allowed.filter(isProven) : allowed;
  if (isNotEmpty(proven)) return proven;
  const [{ logged }] = allowed;
  const detail = logged !== undefined && 'problem' in logged ? logged.problem : 'the log was not consulted';
  return { code: 'transparency-log-unproven', detail };
};

/** Selects the signatures that name the requested component or none. */
const selectByComponent = (
  usable: Signatures,
  requested: string,
  componentOf: VerificationRequest['componentOf'],
): Evaluation => {
  const components = usable.map(({ signedReference }) =>
    signedReference === undefined ? undefined : componentOf(signedReference),
  );
  const otherComponent = components.find((name) => name !== undefined && name !== requested);
  const componentProven = components.includes(requested);
  const signatures = usable.filter((_, index) => (components[index] ?? requested) === requested);
  // A signature that names no component proves nothing against one that names another.
  if (!isNotEmpty(signatures) || (otherComponent !== undefined && !componentProven))
    return {
      satisfied: false,
      reason: { code: 'component-mismatch', asked: requested, signed: otherComponent ?? '' },
    };
  return { satisfied: true, signatures, componentProven };
};

/**
 * Selects the signatures that satisfy this use: the key is in the key ring now and may sign for this place, the log
 * proves the signature if it is required, and the component fits. Called at every use, cached or not: otherwise a key
 * that was removed or limited would still count.
 */
export const evaluateSignatures = (
  valid: readonly ValidSignature[],
  request: VerificationRequest,
  { ring, requireLog }: { readonly ring: KeyRing; readonly requireLog: boolean },
): Evaluation => {
  const { places, component, componentOf } = request;
  const allowed = valid.filter(({ keyId }) => maySign(keyId, ring, places) === true);
  if (isNotEmpty(allowed)) {
    const usable = selectByLog(allowed, requireLog);
    if ('code' in usable) return { satisfied: false, reason: usable };
    return component === undefined
      ? { satisfied: true, signatures: usable, componentProven: false }
      : selectByComponent(usable, component, componentOf);
  }
  const limited = valid.find(({ keyId }) => maySign(keyId, ring, places) === false);
  return limited === undefined ? NONE : { satisfied: false, reason: notForPlace(limited.keyId, request) };
};
