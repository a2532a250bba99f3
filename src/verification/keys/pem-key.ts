import { type Jwk, jwkOfDer } from './der-key.ts';
import { decodeBase64Document } from './key-document.ts';
import { EXPECTED, KeyProblem, PRIVATE } from './key-problem.ts';

/** One block and nothing else. White space may stand anywhere in it: none of it is base64 (RFC 7468, section 2). */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----$/;

const PARAMETERS = 'EC PARAMETERS';

const findLabelProblem = (label: string): string | undefined => {
  if (label === 'PUBLIC KEY') return undefined;
  if (label === 'CERTIFICATE')
    return 'is a certificate: give the public key alone (`openssl x509 -pubkey -noout`)';
  if (label === 'RSA PUBLIC KEY') return `is an RSA key; ${EXPECTED}`;
  return `is a PEM block of ${label.slice(0, 60)}, where a PUBLIC KEY is expected`;
};

const findBlocksProblem = (labels: readonly string[]): string | undefined => {
  if (labels.some((label) => label.includes('PRIVATE KEY'))) return PRIVATE;
  if (labels.length > 1 && labels.includes(PARAMETERS))
    return `has a block of ${PARAMETERS} beside the key: remove that block, the key names its curve itself`;
  if (labels.length > 1) return 'has several PEM blocks: give each key its own entry';
  return labels[0] === undefined ? undefined : findLabelProblem(labels[0]);
};

/** Parses one PEM block of a SubjectPublicKeyInfo. Throws `KeyProblem`. */
export const jwkOfPem = (text: string): Jwk => {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label.trim());
  const problem = findBlocksProblem(labels);
  if (problem !== undefined) throw new KeyProblem(problem);
  const [, label, body = '', end] = BLOCK.exec(text) ?? [];
  const der = label === end ? decodeBase64Document(body) : undefined;
  if (der === undefined)
    throw new KeyProblem('is malformed: expected one complete PEM block with nothing before or after it');
  return jwkOfDer(der);
};
