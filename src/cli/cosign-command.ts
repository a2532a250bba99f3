import type { Config } from '../config/index.ts';
import type { ImageReference } from '../image/index.ts';
import type { ReasonCode } from '../policy/index.ts';

/** Where cosign finds a key that is built in here. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'istio-release-1': 'https://istio.io/misc/istio-key.pub',
};

const keyArgument = (source: string): string => PUBLISHED[source] ?? source;

const quoteArgument = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The `cosign verify` command that reaches the same verdict with one key. Istio's older releases are in no log, and we
 * ask none, so the flag that cosign needs for that is always there.
 */
export const cosignCommand = (
  reference: ImageReference,
  keySource: string,
  { registries, caFile }: { readonly registries: Config['registries']; readonly caFile: string | undefined },
): string => {
  const plain = registries.some(({ host, plainHttp }) => host === reference.registry && plainHttp === true);
  const parts = [
    ['cosign', 'verify', '--key', keyArgument(keySource), '--insecure-ignore-tlog'],
    plain ? ['--allow-http-registry'] : [],
    caFile === undefined ? [] : ['--registry-cacert', caFile],
    [reference.text],
  ];
  return parts.flat().map(quoteArgument).join(' ');
};

/** By reason: where cosign, less strict or knowing less, accepts or may accept what is refused here. */
const LAXER: Partial<Record<ReasonCode, string>> = {
  'component-mismatch':
    'cosign accepts it: it does not compare the component that was signed with the one asked for',
  'signature-invalid':
    'cosign may accept it: it is laxer about the form of signatures (payload type, encoding, media type)',
  'too-many-signatures': 'cosign may accept it: it tries up to 1000 signatures',
  'image-revoked': 'cosign may accept it: it knows no revoked digests',
};

/** Why cosign would, or may, accept what is refused here; undefined: it would not. */
export const whyCosignDiffers = (code: ReasonCode): string | undefined => LAXER[code];
