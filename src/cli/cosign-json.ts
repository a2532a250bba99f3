import type { ValidSignature } from '../verification/index.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** As Go's encoding/json writes a map: keys sorted, and what HTML reads as markup escaped. */
const goJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return goText(JSON.stringify(value));
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${goText(JSON.stringify(key))}:${goJson(member)}`).join(',')}}`;
};

const goText = (text: string): string =>
  text.replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const parseBundle = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  try {
    const { SignedEntryTimestamp, Payload } = JSON.parse(text) as {
      SignedEntryTimestamp: Json;
      Payload: { body: Json; integratedTime: Json; logIndex: Json; logID: Json };
    };
    const { body, integratedTime, logIndex, logID } = Payload;
    const payload = `{"body":${goJson(body)},"integratedTime":${goJson(integratedTime)},"logIndex":${goJson(logIndex)},"logID":${goJson(logID)}}`;
    return `{"SignedEntryTimestamp":${goJson(SignedEntryTimestamp)},"Payload":${payload}}`;
  } catch {
    return undefined;
  }
};

const describeSignature = ({ payload, logBundle }: ValidSignature): string => {
  const { critical, optional } = JSON.parse(payload) as {
    critical: {
      identity: { 'docker-reference': string };
      image: { 'docker-manifest-digest': string };
      type: string;
    };
    optional?: Readonly<Record<string, Json>> | null;
  };
  const bundle = parseBundle(logBundle);
  const members = Object.entries(optional ?? {}).map(([key, value]) => [key, goJson(value)] as const);
  const all = [...members, ...(bundle === undefined ? [] : [['Bundle', bundle] as const])].toSorted(
    ([one], [other]) => (one < other ? -1 : 1),
  );
  const written =
    (optional === null || optional === undefined) && bundle === undefined
      ? 'null'
      : `{${all.map(([key, value]) => `${goText(JSON.stringify(key))}:${value}`).join(',')}}`;
  const { identity, image, type } = critical;
  return (
    `{"critical":{"identity":{"docker-reference":${goJson(identity['docker-reference'])}},` +
    `"image":{"docker-manifest-digest":${goJson(image['docker-manifest-digest'])}},"type":${goJson(type)}},"optional":${written}}`
  );
};

/** What `cosign verify` prints on standard output for signatures under the `.sig` tag (cosign, cmd/cosign/cli/verify). */
export const cosignJson = (signatures: readonly ValidSignature[]): string =>
  `\n[${signatures.map(describeSignature).join(',')}]\n`;
