import { explain, type Judgement, type Reason } from '../../policy/index.ts';
import type { KeyRing, ValidSignature, Verification } from '../../verification/index.ts';
import { exitCodeOf } from '../shared/exit-codes.ts';

/** The report of one image. */
export interface ImageReport {
  readonly reference: string;
  readonly digest: string | null;
  readonly component: string | null;
  readonly componentProven: boolean;
  /** Undefined if it is not proven. */
  readonly componentProvenBy: 'signature' | 'configuration' | undefined;
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

/** Notes how `review` and the webhook classify the image, if `verify` goes further. */
const remarkOf = ({ class: imageClass, verification }: Judgement): string => {
  if (imageClass?.kind === 'look-alike')
    return imageClass.vendor === undefined
      ? `; the name is that of Istio's ${imageClass.component}, but the image is on no hub or mirror: review and the webhook refuse it`
      : `; the image is a build of Istio's ${imageClass.component} by ${imageClass.vendor}: review and the webhook refuse it`;
  const judged = verification?.digest !== undefined && verification.outcome !== 'undetermined';
  if (imageClass?.kind === 'other' && judged)
    return '; not an Istio image, so only the signature was verified';
  return '';
};

/** Notes the limits of a verification offline: evidence proves digests, never tags. */
const offlineRemarkOf = ({ reference, verification }: Judgement): string => {
  if (verification?.outcome === 'rejected' && verification.reason.code === 'image-not-found')
    return '; offline: only evidence was searched';
  const byTag = reference !== undefined && reference.digest === undefined;
  return byTag ? '; offline: only the evidence says that the tag resolves to this digest' : '';
};

/** OpenSSL's errors if the peer does not speak TLS. */
const NOT_TLS = /ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/;

const hintOf = (reason: Reason): string =>
  reason.code === 'registry-unavailable' && NOT_TLS.test(reason.detail)
    ? '; the registry does not speak TLS: --allow-http-registry allows plain HTTP'
    : '';

const componentRemark = (
  component: string | undefined,
  provenBy: ImageReport['componentProvenBy'],
): string => {
  if (component === undefined || provenBy === 'signature') return '';
  return provenBy === 'configuration'
    ? `; the signed bytes name no component, and the configuration of the image starts ${component}`
    : `; the signed bytes do not name the component ${component}, and no configuration proves it`;
};

const messageOf = (judgement: Judgement, reason: Reason | undefined): string => {
  if (reason !== undefined) return `${explain(reason)}${hintOf(reason)}${remarkOf(judgement)}`;
  const { verification, class: imageClass } = judgement;
  const component = imageClass?.kind === 'istio' ? imageClass.component : undefined;
  return `signed by a trusted key${componentRemark(component, provenBy(verification))}${remarkOf(judgement)}`;
};

const provenBy = (verification: Verification | undefined): ImageReport['componentProvenBy'] =>
  verification?.outcome === 'verified' && verification.componentProven
    ? (verification.componentProvenBy ?? 'signature')
    : undefined;

const reasonOf = ({ refused, verification }: Judgement): Reason | undefined =>
  refused ??
  (verification === undefined || verification.outcome === 'verified' ? undefined : verification.reason);

const outcomeOfJudgement = ({ refused, verification }: Judgement): ImageReport['outcome'] =>
  refused !== undefined || verification === undefined ? 'refused' : verification.outcome;

const signatureDetails = (verification: Verification | undefined, ring: KeyRing) => {
  const signatures = verification?.outcome === 'verified' ? verification.signatures : [];
  return {
    componentProven: provenBy(verification) !== undefined,
    componentProvenBy: provenBy(verification),
    signedBy: signersOf(signatures, ring),
    format: signatures[0]?.format ?? null,
    requests: verification?.requests ?? 0,
    fromMemory: verification?.fromMemory ?? false,
    signatures,
  };
};

/** Makes the report of one judged image. */
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
    ...signatureDetails(verification, ring),
    durationMs: Math.round(durationMs * 10) / 10,
    judgement,
  };
};

/** Returns the exit code of one image. */
export const exitCodeOfReport = ({ reason }: ImageReport): number =>
  reason === null ? 0 : exitCodeOf(reason.code);
