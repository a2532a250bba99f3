import { explain, type Judgement, type Reason } from '../../policy/index.ts';
import type { KeyRing, ValidSignature, Verification } from '../../verification/index.ts';
import { exitCodeOf } from '../shared/exit-codes.ts';

/** What is known of one image. */
export interface ImageReport {
  readonly reference: string;
  readonly digest: string | null;
  readonly component: string | null;
  readonly componentProven: boolean;
  readonly outcome: 'verified' | 'rejected' | 'undetermined' | 'refused';
  readonly reason: Reason | null;
  readonly message: string;
  readonly signedBy: readonly {
    readonly keyId: string;
    readonly spkiSha256: string | null;
    readonly source: string | null;
  }[];
  readonly format: ValidSignature['format'] | null;
  readonly requests: number;
  readonly fromMemory: boolean;
  readonly durationMs: number;
  readonly judgement: Judgement;
  readonly signatures: readonly ValidSignature[];
}

const signersOf = (signatures: readonly ValidSignature[], ring: KeyRing): ImageReport['signedBy'] =>
  [...new Set(signatures.map(({ keyId }) => keyId))].map((keyId) => {
    const key = ring.keys.get(keyId);
    return { keyId, spkiSha256: key?.spkiSha256 ?? null, source: key?.source ?? null };
  });

/** What `review` and the webhook would say besides. */
const remarkOf = ({ class: imageClass, verification }: Judgement): string => {
  if (imageClass?.kind === 'look-alike')
    return `; its name is Istio's ${imageClass.component} and it is on no hub or mirror: review and the webhook refuse it`;
  const judged = verification?.digest !== undefined && verification.outcome !== 'undetermined';
  if (imageClass?.kind === 'not-ours' && judged)
    return "; it is no image of Istio's, so only its signature was judged";
  return '';
};

/** What must be said where only evidence was asked: it proves digests, never tags. */
const offlineRemarkOf = ({ reference, verification }: Judgement): string => {
  if (verification?.outcome === 'rejected' && verification.reason.code === 'image-not-found')
    return '; offline: only evidence was asked';
  const byTag = reference !== undefined && reference.digest === undefined;
  return byTag ? '; offline: that the tag stands for this digest is the word of the evidence alone' : '';
};

/** What OpenSSL says where the other side does not speak TLS. */
const NOT_TLS = /ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/;

const hintOf = (reason: Reason): string =>
  reason.code === 'registry-unavailable' && NOT_TLS.test(reason.detail)
    ? '; it does not answer in TLS: --allow-http-registry is for a registry that speaks plain HTTP'
    : '';

const messageOf = (judgement: Judgement, reason: Reason | undefined): string => {
  if (reason !== undefined) return `${explain(reason)}${hintOf(reason)}${remarkOf(judgement)}`;
  const { verification, class: imageClass } = judgement;
  const component = imageClass?.kind === 'istio' ? imageClass.component : undefined;
  const proven = verification?.outcome === 'verified' && verification.componentProven;
  const unproven =
    component === undefined || proven ? '' : `; the signed bytes do not name the component ${component}`;
  return `signed by a trusted key${unproven}${remarkOf(judgement)}`;
};

const reasonOf = ({ refused, verification }: Judgement): Reason | undefined =>
  refused ??
  (verification === undefined || verification.outcome === 'verified' ? undefined : verification.reason);

const outcomeOfJudgement = ({ refused, verification }: Judgement): ImageReport['outcome'] =>
  refused !== undefined || verification === undefined ? 'refused' : verification.outcome;

const factsOf = (verification: Verification | undefined, ring: KeyRing) => {
  const signatures = verification?.outcome === 'verified' ? verification.signatures : [];
  return {
    componentProven: verification?.outcome === 'verified' && verification.componentProven,
    signedBy: signersOf(signatures, ring),
    format: signatures[0]?.format ?? null,
    requests: verification?.requests ?? 0,
    fromMemory: verification?.fromMemory ?? false,
    signatures,
  };
};

/** The report of one judged image. */
export const reportOf = (
  judgement: Judgement,
  { ring, offline }: { readonly ring: KeyRing; readonly offline: boolean },
  durationMs: number,
): ImageReport => {
  const { image, reference, class: imageClass, verification } = judgement;
  const reason = reasonOf(judgement);
  return {
    reference: image,
    digest: verification?.digest ?? reference?.digest ?? null,
    component: imageClass?.kind === 'istio' ? (imageClass.component ?? null) : null,
    outcome: outcomeOfJudgement(judgement),
    reason: reason ?? null,
    message: `${messageOf(judgement, reason)}${offline ? offlineRemarkOf(judgement) : ''}`,
    ...factsOf(verification, ring),
    durationMs: Math.round(durationMs * 10) / 10,
    judgement,
  };
};

export const exitCodeOfReport = ({ reason }: ImageReport): number =>
  reason === null ? 0 : exitCodeOf(reason.code);
