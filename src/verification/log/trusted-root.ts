import { isJsonObject, memberOf } from '../../base/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { parseExactBase64 } from './exact.ts';
import {
  idOfLog,
  type LogKeyDetails,
  parseLogKey,
  type TrustedLog,
  type TrustedLogs,
} from './trusted-log.ts';

/** The spellings of versions 0.1 and 0.2 (sigstore/protobuf-specs, sigstore_trustroot.proto, `media_type`). */
const VERSIONS: readonly unknown[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];
const MIN_KEY_ID_BYTES = 4;

type Parsed<T> = T | { readonly problem: string };

export type ParsedTrustedRoot =
  | { readonly ok: true; readonly logs: TrustedLogs }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses the logs of a Sigstore trusted root, `trusted_root.json` (sigstore/protobuf-specs, sigstore_trustroot.proto):
 * at least one, each with a P-256 key (Rekor v1) or an Ed25519 key (Rekor v2) and the id that belongs to it. Ignores
 * the rest of the root: signatures are made with keys here, not with certificates. Never throws. A problem is one line
 * and names its location.
 */
export const parseTrustedRoot = (text: string): ParsedTrustedRoot => {
  const parsed = parseStrictJson(Buffer.from(text));
  if (!parsed.ok) return failed(parsed.problem);
  const tlogs = memberOf(parsed.value, 'tlogs');
  if (!VERSIONS.includes(memberOf(parsed.value, 'mediaType')))
    return failed('mediaType is not that of a Sigstore trusted root, version 0.1 or 0.2');
  if (!Array.isArray(tlogs) || tlogs.length === 0) return failed('tlogs names no transparency log');
  const logs: TrustedLog[] = [];
  for (const [index, value] of tlogs.entries()) {
    const log = parseLog(value);
    if ('problem' in log) return failed(`tlogs[${index}]${log.problem}`);
    if (logs.some(({ id }) => id === log.id)) return failed(`tlogs[${index}] occurs twice`);
    logs.push(log);
  }
  return { ok: true, logs };
};

const failed = (problem: string) => ({ ok: false, problem }) as const;

const parseLog = (value: unknown): Parsed<TrustedLog> => {
  if (!isJsonObject(value)) return { problem: ' is not an object' };
  if (memberOf(value, 'hashAlgorithm') !== 'SHA2_256') return { problem: '.hashAlgorithm is not SHA2_256' };
  const host = parseHost(memberOf(value, 'baseUrl'));
  if (host === undefined) return { problem: '.baseUrl is not a URL with a host' };
  const key = parseKey(memberOf(value, 'publicKey'));
  if ('problem' in key) return key;
  const log = { host, id: idOfLog(host, key.key), ...key };
  return findForeignId(value, log.id) ?? log;
};

/** Returns the host of a base URL, which may lack its scheme. */
const parseHost = (baseUrl: unknown): string | undefined => {
  if (typeof baseUrl !== 'string') return undefined;
  const url = URL.parse(baseUrl.includes('://') ? baseUrl : `https://${baseUrl}`);
  return url === null || url.hostname === '' ? undefined : url.hostname;
};

const isLogKeyDetails = (value: unknown): value is LogKeyDetails =>
  value === 'PKIX_ECDSA_P256_SHA_256' || value === 'PKIX_ED25519';

const parseKey = (value: unknown): Parsed<Pick<TrustedLog, 'key' | 'validFrom' | 'validUntil'>> => {
  const details = memberOf(value, 'keyDetails');
  if (!isLogKeyDetails(details))
    return { problem: '.publicKey.keyDetails is neither PKIX_ECDSA_P256_SHA_256 nor PKIX_ED25519' };
  const bytes = parseExactBase64(memberOf(value, 'rawBytes'));
  const key = bytes && parseLogKey(bytes, details);
  if (key === undefined)
    return { problem: `.publicKey.rawBytes is not a key of the kind ${details} (DER in base64)` };
  const window = parseWindow(memberOf(value, 'validFor'));
  return 'problem' in window ? window : { key, ...window };
};

/** Parses the time for which a key is valid (sigstore_common.proto, `TimeRange`): it has a start, and may have an end. */
const parseWindow = (validFor: unknown): Parsed<Pick<TrustedLog, 'validFrom' | 'validUntil'>> => {
  const validFrom = parseTime(memberOf(validFor, 'start'));
  const validUntil = parseTime(memberOf(validFor, 'end'));
  if (validFrom === undefined)
    return { problem: '.publicKey.validFor.start is missing: the time from which the key counts' };
  const malformed = [validFrom, validUntil].findIndex(Number.isNaN);
  if (malformed !== -1)
    return { problem: `.publicKey.validFor.${malformed === 0 ? 'start' : 'end'} is not an RFC 3339 time` };
  return { validFrom, validUntil };
};

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Returns milliseconds since the epoch; undefined if there is no value, NaN if it is malformed. */
const parseTime = (value: unknown): number | undefined => {
  if (value === undefined) return undefined;
  return typeof value === 'string' && RFC3339.test(value) ? Date.parse(value) : Number.NaN;
};

/**
 * Finds an id that is not its key's: two logs were mixed up. The checkpoint's key id may be truncated to four bytes.
 */
const findForeignId = (value: unknown, id: string): { readonly problem: string } | undefined => {
  const logId = parseExactBase64(memberOf(memberOf(value, 'logId'), 'keyId'));
  if (logId?.toString('hex') !== id) return { problem: '.logId.keyId is not the id of its key' };
  if (memberOf(value, 'checkpointKeyId') === undefined) return undefined;
  const keyId = parseExactBase64(memberOf(memberOf(value, 'checkpointKeyId'), 'keyId'));
  const belongs =
    keyId !== undefined && keyId.length >= MIN_KEY_ID_BYTES && id.startsWith(keyId.toString('hex'));
  return belongs ? undefined : { problem: '.checkpointKeyId.keyId is not the id of its key' };
};
