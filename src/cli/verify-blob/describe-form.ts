import { encodingOf, isJsonObject, parseJson } from '../../base/index.ts';
import { isBundle } from '../../verification/index.ts';
import type { GivenSignature } from './signature.ts';

const EXPECTED = 'expected ECDSA P-256 in DER';

/** What a text is that is no signature in base64, by how it begins. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^-----BEGIN PGP /, 'is a PGP block'],
  [/^-----BEGIN SSH SIGNATURE-----/, 'is a signature by an SSH key'],
  [/^-----BEGIN (?:CMS|PKCS7)-----/, 'is a signature with a certificate (CMS)'],
  [/^-----BEGIN [A-Z0-9 ]*KEY-----/, 'is a key: is it meant for --key?'],
  [/^-----BEGIN /, 'is a PEM block'],
  [/^untrusted comment:/, 'is a signature of minisign or signify'],
  [/^[0-9a-f]{64}(?:\s|$)/i, 'is a SHA-256 checksum, not a signature'],
  [/^(?:[0-9a-f]{2}[\s:]?)+$/i, 'is in hexadecimal: write its bytes, `xxd -r -p`'],
];

const describeJson = (content: Buffer): string | undefined => {
  const value = parseJson(content);
  if (!isJsonObject(value)) return undefined;
  return isBundle(value) ? 'is a bundle: give it with --bundle' : 'is JSON';
};

const describeText = (content: Buffer): string | undefined => {
  const text = content.toString('latin1').trim();
  return TEXTS.find(([start]) => start.test(text))?.[1];
};

/** True for printable text in UTF-16; bytes of a signature may begin as it does. */
const isUtf16 = (content: Uint8Array): boolean => {
  const encoding = encodingOf(content);
  return encoding !== 'utf-8' && /^[\x20-\x7e\s]+$/.test(new TextDecoder(encoding).decode(content));
};

/** The length in bytes of an r‖s signature on P-256, as JWS and WebCrypto write it. */
const RAW_BYTES = 64;
/** The lengths of RSA signatures by keys of 2048, 3072 and 4096 bits. */
const RSA_BYTES = [256, 384, 512];

/** True for a SEQUENCE of two INTEGERs that is as long as it says: a signature on another curve, or out of range. */
const isEcdsa = (der: Uint8Array): boolean => {
  const body = der[1] === 0x81 ? 3 : 2;
  const [tag, length = 0] = [der[0], body === 3 ? der[2] : der[1]];
  return tag === 0x30 && length === der.length - body && der[body] === 0x02;
};

const describeBytes = (signature: Uint8Array): string => {
  const { length } = signature;
  if (length === 0) return 'the signature is empty';
  if (length === RAW_BYTES)
    return 'expected a signature in DER, as `openssl dgst -sign` and cosign write it, got 64 bytes, the length of r and s side by side (IEEE P1363, JWS) and of an Ed25519 signature';
  if (RSA_BYTES.includes(length)) return `${EXPECTED}, got ${length} bytes, the length of an RSA signature`;
  if (isEcdsa(signature) && length > 72) return `${EXPECTED}, got an ECDSA signature on a larger curve`;
  return `the signature is malformed: ${EXPECTED}, got ${length} other bytes`;
};

/** Says what was given that is no ECDSA P-256 signature in strict DER. */
export const describeForm = ({ signature, content }: GivenSignature): string => {
  if (isUtf16(content))
    return 'the signature is text in UTF-16, as PowerShell writes it: write it in ASCII (`Set-Content -Encoding ascii`)';
  const what = describeJson(content) ?? describeText(content);
  return what === undefined ? describeBytes(signature) : `what was given for the signature ${what}`;
};
