import type { ValidSignature } from '../../verification/index.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The image that was verified: as it was asked for, and its digest. */
interface Printed {
  readonly reference: string;
  readonly digest: string;
}

/** The signed bytes (simple signing), which the verifier has checked to be this. */
interface Payload {
  readonly critical: {
    readonly identity: { readonly 'docker-reference': string };
    readonly image: { readonly 'docker-manifest-digest': string };
    readonly type: string;
  };
  readonly optional?: Readonly<Record<string, Json>> | null;
}

/** As Go's encoding/json writes text: what HTML reads as markup, and JavaScript as a line's end, is escaped. */
const goText = (value: null | boolean | number | string): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** As Go writes a struct: members in the order of their declaration. They are JSON already. */
const goStruct = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .map(([key, member]) => `${goText(key)}:${member}`)
    .join(',')}}`;

/** As Go writes a map: keys sorted. */
const goMap = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${goText(key)}:${member}`)
    .join(',')}}`;

const goJsonOfMembers = (members: Readonly<Record<string, Json>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(members).map(([key, value]) => [key, goJson(value)]));

const goJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return goText(value);
  return goMap(goJsonOfMembers(value as Readonly<Record<string, Json>>));
};

/** The log's bundle as cosign prints it; undefined where the annotation, which nobody checked, is none. */
const describeBundle = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  try {
    const { SignedEntryTimestamp, Payload } = JSON.parse(text) as {
      SignedEntryTimestamp: Json;
      Payload: { body: Json; integratedTime: Json; logIndex: Json; logID: Json };
    };
    const { body, integratedTime, logIndex, logID } = Payload;
    return goStruct({
      SignedEntryTimestamp: goJson(SignedEntryTimestamp),
      Payload: goStruct(goJsonOfMembers({ body, integratedTime, logIndex, logID })),
    });
  } catch {
    return undefined;
  }
};

/** A bundle's statement (in-toto Statement v1), which the verifier has checked to be of an image signature. */
interface Statement {
  readonly predicateType: string;
  readonly subject: readonly {
    readonly digest: { readonly sha256?: string };
    readonly annotations?: Readonly<Record<string, Json>>;
  }[];
}

/** cosign prints the digest of the first subject, whichever was verified; here it is the one that was. */
const describeStatement = (payload: string, { reference, digest }: Printed): string => {
  const { predicateType, subject } = JSON.parse(payload) as Statement;
  const verified = subject.find((one) => `sha256:${one.digest.sha256}` === digest);
  return goStruct({
    critical: goStruct({
      identity: goStruct({ 'docker-reference': goText(reference) }),
      image: goStruct({ 'docker-manifest-digest': goText(digest) }),
      type: goText(predicateType),
    }),
    optional: goMap(goJsonOfMembers(verified?.annotations ?? {})),
  });
};

const describePayload = ({ payload, logBundle }: ValidSignature): string => {
  const { critical, optional = null } = JSON.parse(payload) as Payload;
  const bundle = describeBundle(logBundle);
  const members = {
    ...goJsonOfMembers(optional ?? {}),
    ...(bundle === undefined ? {} : { Bundle: bundle }),
  };
  const { identity, image, type } = critical;
  return goStruct({
    critical: goStruct({
      identity: goStruct({ 'docker-reference': goText(identity['docker-reference']) }),
      image: goStruct({ 'docker-manifest-digest': goText(image['docker-manifest-digest']) }),
      type: goText(type),
    }),
    optional: optional === null && bundle === undefined ? 'null' : goMap(members),
  });
};

const describeSignature = (signature: ValidSignature, printed: Printed): string => {
  const { format } = signature;
  switch (format) {
    case 'simple-signing':
      return describePayload(signature);
    case 'sigstore-bundle':
      return describeStatement(signature.payload, printed);
    default:
      return format satisfies never;
  }
};

/** What `cosign verify` prints on standard output (cosign, cmd/cosign/cli/verify). */
export const cosignJson = (signatures: readonly ValidSignature[], printed: Printed): string =>
  `\n[${signatures.map((signature) => describeSignature(signature, printed)).join(',')}]\n`;
