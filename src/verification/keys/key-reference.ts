import { decodeBase64Document, isDer } from './key-document.ts';
import { PRIVATE } from './key-problem.ts';

/** The URIs by which cosign finds a key: none of them is the key, and nothing here fetches from them. */
const KEY_SERVICES = ['awskms', 'gcpkms', 'azurekms', 'hashivault', 'openbao', 'pkcs11'];

const EXPORT = 'give its public key as a file: `cosign public-key --key URI > cosign.pub`';

const REMEDIES: Readonly<Record<string, string>> = {
  env: 'is in an environment variable, which is not read: write it to a file, `printenv NAME > cosign.pub`',
  k8s: `is in a Secret of Kubernetes, which is not read: write it to a file, \`kubectl get secret -n NAMESPACE NAME -o jsonpath='{.data.cosign\\.pub}' | base64 -d > cosign.pub\``,
  gitlab: 'is in a variable of GitLab, which is not read: write its COSIGN_PUBLIC_KEY to a file',
  github: 'is in a variable of GitHub, which is not read: write its COSIGN_PUBLIC_KEY to a file',
  file: 'is given as a file URL: give the path alone',
  ...Object.fromEntries(
    KEY_SERVICES.map((scheme) => [
      scheme,
      `is in a key management service or token (${scheme}), which is not asked: ${EXPORT}`,
    ]),
  ),
};

/**
 * Returns the problem if a text is one of cosign's key URIs (pkg/signature/keys.go, `PublicKeyFromKeyRef`); undefined for
 * any other text. Names the scheme alone: the rest may hold a PIN (RFC 7512).
 */
export const findKeyReferenceProblem = (text: string): string | undefined => {
  const scheme = /^([a-z][a-z0-9]*):(?:\/\/)?\S/i.exec(text.trimStart())?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(REMEDIES, scheme) ? REMEDIES[scheme] : undefined;
};

/** Returns the problem if a text is a key itself where the location of one is expected; it must not be printed. */
export const findPastedKeyProblem = (text: string): string | undefined => {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(text)) return PRIVATE;
  const isKey = text.includes('-----BEGIN ') || text.trimStart().startsWith('{') || isBase64Key(text);
  return isKey ? 'is given as text, where its location is expected: write it to a file' : undefined;
};

/** A path may read as base64 too, but not as base64 of DER or PEM. */
const isBase64Key = (text: string): boolean => {
  const decoded = decodeBase64Document(text);
  return decoded !== undefined && (isDer(decoded) || decoded.includes('-----BEGIN '));
};
