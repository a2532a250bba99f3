import { type Jwk, jwkOfDer } from './der-key.ts';
import { decodeBase64Document } from './key-document.ts';
import { EXPECTED, KeyProblem, PRIVATE } from './key-problem.ts';

/**
 * Blocks of a public key. Text around them is skipped, as Go does (encoding/pem), but a block begins a line: behind a `#` it
 * is commented out. White space may stand anywhere in it: none of it is base64 (RFC 7468, section 2).
 */
const BLOCKS = /(?:^|[\r\n])[^\S\r\n]*-----BEGIN PUBLIC KEY-----((?:(?!-----)[^])*)-----END PUBLIC KEY-----/g;
const LABELS = /-----BEGIN ([^\r\n]*?)-----/g;
/** The header lines of a block (RFC 1421, section 4.6), which say nothing of the key. */
const HEADERS = /^\s*(?:[^\r\n:]+:[^\r\n]*[\r\n]+)+/;
/** The private number, as `openssl pkey -text` prints it beside the public key. */
const PRIVATE_TEXT = /^[^\S\r\n]*priv:\s*[0-9a-f]{2}:/im;

const PARAMETERS = 'EC PARAMETERS';
const SEVERAL = 'has several PEM blocks: give each key its own entry';
const MALFORMED = 'is malformed: expected one complete PEM block, which begins a line';

const findLabelProblem = (label: string): string | undefined => {
  if (label === 'PUBLIC KEY') return undefined;
  if (label === 'CERTIFICATE')
    return 'is a certificate: give the public key alone (`openssl x509 -pubkey -noout`)';
  if (label === 'RSA PUBLIC KEY') return `is an RSA key; ${EXPECTED}`;
  return `is a PEM block of ${label.slice(0, 60)}, where a PUBLIC KEY is expected`;
};

const findBlocksProblem = (labels: readonly string[]): string | undefined => {
  if (labels.some((label) => label.toUpperCase().includes('PRIVATE KEY'))) return PRIVATE;
  if (labels.length > 1 && labels.includes(PARAMETERS))
    return `has a block of ${PARAMETERS} beside the key: remove that block, the key names its curve itself`;
  if (labels.length > 1 && labels.some((label) => label !== 'PUBLIC KEY')) return SEVERAL;
  return labels[0] === undefined ? undefined : findLabelProblem(labels[0]);
};

/** Decodes each block; undefined for one that is not base64. */
const decodeBlocks = (text: string): readonly (Buffer | undefined)[] =>
  [...text.matchAll(BLOCKS)].map(([, body = '']) => decodeBase64Document(body.replace(HEADERS, '')));

/**
 * Parses the one PEM block of a SubjectPublicKeyInfo in a text; the same block may occur again. Text around it is skipped.
 * Throws `KeyProblem`.
 */
export const jwkOfPem = (text: string): Jwk => {
  const labels = [...text.matchAll(LABELS)].map(([, label = '']) => label.trim());
  const problem = PRIVATE_TEXT.test(text) ? PRIVATE : findBlocksProblem(labels);
  if (problem !== undefined) throw new KeyProblem(problem);
  const blocks = decodeBlocks(text);
  const [first, ...others] = blocks;
  // A block that is not complete, or that is commented out, is another key that somebody may mean.
  if (first === undefined || blocks.length !== labels.length || others.includes(undefined))
    throw new KeyProblem(MALFORMED);
  if (others.some((other) => other?.equals(first) !== true)) throw new KeyProblem(SEVERAL);
  return jwkOfDer(first);
};
