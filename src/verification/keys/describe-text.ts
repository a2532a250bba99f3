import { PRIVATE, UNKNOWN } from './key-problem.ts';
import { findKeyReferenceProblem } from './key-reference.ts';

const SECRET = /(?:^|[{,\s])["']?kind["']?\s*:\s*["']?Secret(?:List)?(?![\w-])/;

/** A text that is no key, and what to give instead. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:ssh-|ecdsa-sha2-|sk-|---- BEGIN SSH2)/,
    'is an SSH key: convert it, `ssh-keygen -e -m PKCS8 -f KEY.pub > cosign.pub`',
  ],
  [/^https?:\/\/\S+$/i, 'is the URL of a key: give it as url, or to --key'],
  [
    /^(?:\$\{[^]*\}|\$\([^]*\)|\$\w+|%\w+%)$/,
    'is a variable that nothing replaced by its value: give the key itself',
  ],
  [
    /^(?:(?:\.{0,2}|~)\/[^\s:=]{1,80}|[a-z]:\\[^\r\n]+|[^\s:=]{1,255}\.(?:pub|pem|key|der|crt|jwk|jwks|json))$/i,
    'is a path, where the key itself is expected: give it as file, or to --key',
  ],
  [/^(?:export\s+)?[\w.-]+\s*[:=]\s*[^\s=]/, 'is a value with its name before it: give the value alone'],
];

/** Returns the problem of a document that holds a private key, more than a key, or a key in a page: it is never searched for one. */
export const findWrapperProblem = (text: string): string | undefined => {
  if (/-----BEGIN [^\r\n]*PRIVATE KEY/i.test(text)) return PRIVATE;
  if (/^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i.test(text))
    return 'is an HTML page: give the address of the file itself (its "raw" link)';
  if (/^\s*\{\{[^]*\}\}\s*$/.test(text))
    return 'is a template that nothing replaced by its value: give the key itself';
  return SECRET.test(text)
    ? 'is a whole Secret of Kubernetes, which may hold the private key too: give data.cosign.pub alone, decoded'
    : undefined;
};

/** Names a text that leads to a key, or holds one in a form that is not read. */
export const describeText = (text: string): string =>
  findKeyReferenceProblem(text) ?? FORMS.find(([form]) => form.test(text))?.[1] ?? UNKNOWN;

/** Returns the value of one assignment, `cosign.pub: VALUE` or `export NAME="VALUE"`, if it can be base64 of PEM. */
export const valueOfAssignment = (text: string): string | undefined =>
  /^(?:export\s+)?["']?[\w.-]+["']?\s*[:=]\s*["']?(LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]*)["']?$/.exec(text)?.[1];
