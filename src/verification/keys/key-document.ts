import { parseBase64 } from '../encoding/base64.ts';

/** What a key document holds: text, or binary data that may be DER. */
export type KeyDocument =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Buffer };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** By the first four bytes in hex: the byte order marks of UTF-16, and the zeros of its ASCII where there is no mark. */
const UTF16 = [
  ['utf-16le', /^(?:fffe|(?!00)..00(?!00)..00)/],
  ['utf-16be', /^(?:feff|00(?!00)..00(?!00)..)/],
] as const;

/** Decodes UTF-16, as PowerShell's `>` writes it. */
const decodeUtf16 = (bytes: Uint8Array): string | undefined => {
  const head = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  const [encoding] = UTF16.find(([, start]) => start.test(head)) ?? [];
  if (encoding === undefined || bytes.length % 2 !== 0) return undefined;
  return new TextDecoder(encoding).decode(bytes);
};

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return bytes.includes(0) ? undefined : utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

/** Removes what editors, shells and environment files put around a pasted key or into it: no encoding of a key has these. */
const clean = (text: string): string => {
  const trimmed = text.trim();
  const [, , quoted] = /^(["'])([^"']*)\1$/.exec(trimmed) ?? [];
  return (quoted ?? trimmed).replaceAll(/\\r|\\n/g, '\n').trim();
};

/** Reads a key document: UTF-8 or UTF-16, with or without a byte order mark, or else binary data. */
export const readKeyDocument = (document: Uint8Array | string): KeyDocument => {
  const text = typeof document === 'string' ? document : (decodeUtf16(document) ?? decodeUtf8(document));
  if (text === undefined) return { kind: 'binary', bytes: Buffer.from(document as Uint8Array) };
  return { kind: 'text', text: /^\s*[{[]/.test(text) ? text.trim() : clean(text) };
};

/** Decodes a text that is nothing but base64, in lines of any length. */
export const decodeBase64Document = (text: string): Buffer | undefined => {
  const bytes = parseBase64(text.replaceAll(/\s+/g, ''));
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
};

const SEQUENCE = 0x30;

/** True for one ASN.1 SEQUENCE in DER that is as long as it says (X.690, 8.1.3), up to 64 KiB. */
export const isDer = (bytes: Uint8Array): boolean => {
  const [tag, length = 0, high = 0, low = 0] = bytes;
  if (tag !== SEQUENCE) return false;
  if (length < 0x80) return bytes.length === 2 + length;
  if (length === 0x81) return bytes.length === 3 + high;
  return length === 0x82 && bytes.length === 4 + high * 256 + low;
};
