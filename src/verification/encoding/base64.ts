const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The bytes that standard, padded base64 spells (RFC 4648 section 4), or undefined. CR and LF are ignored, as Go's
 * `encoding/base64` does and real signatures need; nothing else is, where Node's own decoder forgives almost anything.
 */
export const parseBase64 = (text: string): Buffer | undefined => {
  const joined = text.replace(/[\r\n]/g, '');
  return STANDARD.test(joined) ? Buffer.from(joined, 'base64') : undefined;
};
