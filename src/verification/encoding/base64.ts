const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Decodes standard, padded base64 (RFC 4648 section 4); undefined for anything else. CR and LF are ignored, as Go's
 * `encoding/base64` does and real signatures need. Node's own decoder accepts almost anything.
 */
export const parseBase64 = (text: string): Buffer | undefined => {
  const joined = text.replace(/[\r\n]/g, '');
  return STANDARD.test(joined) ? Buffer.from(joined, 'base64') : undefined;
};
