import { encodingOf } from '../../base/index.ts';
import { parseBase64 } from '../encoding/base64.ts';

/** What a key document holds: text, or binary data that may be DER. */
export type KeyDocument =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Buffer };

/** Decodes UTF-8 or UTF-16 without its byte order mark; undefined for what is no text. */
const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
};

/** Pairs of quotes, straight and as word processors curl them. */
const QUOTES = /^(?:"[^]*"|'[^]*'|[“”„][^]*[“”]|[‘’‚][^]*[‘’])$/;
/** Quotes in quotes: a JSON string that was written into another one. */
const MAX_QUOTES = 3;

const unquoteOnce = (text: string): string => {
  try {
    const value: unknown = text.startsWith('"') ? JSON.parse(text) : undefined;
    if (typeof value === 'string') return value.trim();
  } catch {
    // A shell's or an environment file's quotes: its lines may end in them.
  }
  return text.slice(1, -1).trim();
};

const unquote = (text: string): string => {
  let inner = text.trim();
  for (let depth = 0; depth < MAX_QUOTES && inner.length > 1 && QUOTES.test(inner); depth += 1)
    inner = unquoteOnce(inner);
  return inner;
};

/** The escapes that JSON and shells write in place of line breaks and slashes. Not in a comment: its end is a real line break. */
const unescape = (text: string): string =>
  /^[^\S\r\n]*(?:#|\/\/)/m.test(text) ? text : text.replaceAll(/\\+[rn]/g, '\n').replaceAll(/\\+\//g, '/');

/** Removes what editors, shells and environment files put around a pasted key or into it: no encoding of a key has these. */
const clean = (text: string): string => {
  const visible = text.replaceAll('\u00A0', ' ').replaceAll(/[\u00AD\u200B-\u200D\u2060\uFEFF]/gu, '');
  return unescape(unquote(visible)).trim();
};

/** Reads a key document: UTF-8 or UTF-16, with or without a byte order mark, or else binary data. */
export const readKeyDocument = (document: Uint8Array | string): KeyDocument => {
  const text = typeof document === 'string' ? document : decodeText(document);
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
