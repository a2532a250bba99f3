import type { ValidSignature } from '../../verification/index.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A verified image: the reference as requested, and the digest. */
interface VerifiedImage {
  readonly reference: string;
  readonly digest: string;
}

/** The signed payload (simple signing). The verifier has checked that it has this form. */
interface Payload {
  readonly critical: {
    readonly identity: { readonly 'docker-reference': string };
    readonly image: { readonly 'docker-manifest-digest': string };
    readonly type: string;
  };
  readonly optional?: Readonly<Record<string, Json>> | null;
}

/** Writes a scalar as Go's encoding/json does: HTML markup and JavaScript line terminators are escaped. */
const goScalar = (value: null | boolean | number | string): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Writes a struct as Go does: members in the order of their declaration. The values are JSON. */
const goStruct = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .map(([key, member]) => `${goScalar(key)}:${member}`)
    .join(',')}}`;

/** Writes a map as Go does: sorted by key. The values are JSON. */
const goMap = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${goScalar(key)}:${member}`)
    .join(',')}}`;

const goJsonOfMembers = (members: Readonly<Record<string, Json>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(members).map(([key, value]) => [key, goJson(value)]));

const goJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return goScalar(value);
  return goMap(goJsonOfMembers(value as Readonly<Record<string, Json>>));
};

/** Writes the log's bundle as cosign prints it; undefined if the annotation, which is unverified, is malformed. */
const goLogBundle = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  try {
    const { SignedEntryTimestamp, Payload } = JSON.parse(text) as {
      SignedEntryTimestamp: Json;
      Payload: { body: Json; integratedTime: Json; logIndex: Json; logID: Json };
    };
    const { body, integratedTime, logIndex, logID } = Payload;
    const isTyped = typeof SignedEntryTimestamp === 'string' && typeof logID === 'string';
    if (!isTyped || ![integratedTime, logIndex].every(Number.isSafeInteger)) return undefined;
    return goStruct({
      SignedEntryTimestamp: goJson(SignedEntryTimestamp),
      Payload: goStruct(goJsonOfMembers({ body, integratedTime, logIndex, logID })),
    });
  } catch {
    return undefined;
  }
};

/** A bundle's statement (in-toto Statement v1). The verifier has checked that it is an image signature. */
interface Statement {
  readonly predicateType: string;
  readonly subject: readonly {
    readonly digest?: { readonly sha256?: string } | null;
    readonly annotations?: Readonly<Record<string, Json>> | null;
  }[];
}

/** Writes a bundle's statement. cosign prints the digest of the first subject; here it is that of the verified one. */
const goStatement = (payload: string, { reference, digest }: VerifiedImage): string => {
  const { predicateType, subject } = JSON.parse(payload) as Statement;
  const subjectOfImage = subject.find((candidate) => `sha256:${candidate.digest?.sha256}` === digest);
  return goStruct({
    critical: goStruct({
      identity: goStruct({ 'docker-reference': goScalar(reference) }),
      image: goStruct({ 'docker-manifest-digest': goScalar(digest) }),
      type: goScalar(predicateType),
    }),
    optional: goMap(goJsonOfMembers(subjectOfImage?.annotations ?? {})),
  });
};

const goPayload = ({ payload, logBundle }: ValidSignature): string => {
  const { critical, optional = null } = JSON.parse(payload) as Payload;
  const bundle = goLogBundle(logBundle);
  const members = {
    ...goJsonOfMembers(optional ?? {}),
    ...(bundle === undefined ? {} : { Bundle: bundle }),
  };
  const { identity, image, type } = critical;
  return goStruct({
    critical: goStruct({
      identity: goStruct({ 'docker-reference': goScalar(identity['docker-reference']) }),
      image: goStruct({ 'docker-manifest-digest': goScalar(image['docker-manifest-digest']) }),
      type: goScalar(type),
    }),
    optional: optional === null && bundle === undefined ? 'null' : goMap(members),
  });
};

const goSignature = (signature: ValidSignature, verified: VerifiedImage): string => {
  const { format } = signature;
  switch (format) {
    case 'simple-signing':
      return goPayload(signature);
    case 'sigstore-bundle':
      return goStatement(signature.payload, verified);
    default:
      return format satisfies never;
  }
};

/** Returns the standard output of `cosign verify` (cosign, cmd/cosign/cli/verify). */
export const cosignJson = (signatures: readonly ValidSignature[], verified: VerifiedImage): string =>
  `\n[${signatures.map((signature) => goSignature(signature, verified)).join(',')}]\n`;
