import { X509Certificate } from 'node:crypto';

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

const isCertificate = (block: string): boolean => {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
};

/** Returns why a text is not PEM certificates and nothing else; undefined: it is. Quotes nothing of it. */
export const certificatesProblem = (text: string): string | undefined => {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length === 0) return 'no PEM certificate found';
  const invalid = blocks.findIndex(([block]) => !isCertificate(block));
  if (invalid === -1) return undefined;
  const label = blocks[invalid]?.[1] ?? '';
  return label === 'CERTIFICATE'
    ? `certificate ${invalid + 1} is malformed`
    : `expected certificates only, got a ${label}`;
};

/** The text of a PEM block without its whitespace: equal for equal certificates. */
export const contentOf = (block: string): string => block.replaceAll(/\s/g, '');

/**
 * Returns the certificates in a text that are not among `known`, each once, and adds them. Whatever else is in the text, and
 * what cannot be read, is passed over.
 */
export const newCertificatesIn = (text: string, known: Set<string>): readonly string[] =>
  [...text.matchAll(PEM_BLOCK)].flatMap(([block, label]) => {
    const content = contentOf(block);
    if (label !== 'CERTIFICATE' || known.has(content)) return [];
    known.add(content);
    return isCertificate(block) ? [block] : [];
  });
