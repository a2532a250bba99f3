import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { lastLineOf, Refusal, run, toolPath } from './command.ts';
import type { Statement } from './provenance.ts';

/*
 * cosign signs with the key that COSIGN_KEY names (a file, or a key of a KMS), or keyless with the identity of the workflow.
 * SIGNING_CONFIG names a cosign signing configuration; without one, signatures are recorded in Sigstore's public log.
 */

export interface Signer {
  /** Flags of the commands that sign. */
  readonly sign: readonly string[];
  /** Flags of the commands that verify. */
  readonly verify: readonly string[];
  /** The signer, for the release notes. */
  readonly name: string;
  /** The public key as PEM; undefined if it signs keyless. */
  readonly publicKey: string | undefined;
}

const ISSUER = 'https://token.actions.githubusercontent.com';

/** Returns true if signatures are recorded in a log: by default, and if the signing configuration names one. */
const isLogged = (file: string | undefined): boolean => {
  if (!file) return true;
  const { rekorTlogUrls = [] } = JSON.parse(readFileSync(file, 'utf8')) as { rekorTlogUrls?: unknown[] };
  return rekorTlogUrls.length > 0;
};

/** Returns who signs. Refuses if nobody can. `keyFile` is where the public key will be, for the commands that verify. */
export const findSigner = (env: NodeJS.ProcessEnv, keyFile: string): Signer => {
  const config = env['SIGNING_CONFIG'] ? ['--signing-config', env['SIGNING_CONFIG']] : [];
  const key = env['COSIGN_KEY'];
  if (key) {
    let publicKey: string;
    try {
      publicKey = run(toolPath('cosign'), ['public-key', '--key', key]);
    } catch (error) {
      throw new Refusal(`the key that COSIGN_KEY names cannot be used: ${lastLineOf(error)}`, {
        cause: error,
      });
    }
    const log = isLogged(env['SIGNING_CONFIG']) ? [] : ['--insecure-ignore-tlog'];
    return {
      sign: ['--yes', '--key', key, ...config],
      verify: ['--key', keyFile, ...log],
      name: 'the key `sailmark.pub`',
      publicKey,
    };
  }
  const { GITHUB_SERVER_URL: server, GITHUB_WORKFLOW_REF: workflow } = env;
  if (!env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] || !server || !workflow)
    throw new Refusal(
      'there is no key to sign with: set COSIGN_KEY and COSIGN_PASSWORD, or run in a workflow of GitHub Actions with `id-token: write`',
    );
  const identity = `${server}/${workflow}`;
  return {
    sign: ['--yes', ...config],
    verify: ['--certificate-identity', identity, '--certificate-oidc-issuer', ISSUER],
    name: `the workflow \`${identity}\``,
    publicKey: undefined,
  };
};

const cosign = (...argv: readonly string[]): string => run(toolPath('cosign'), argv);

/** Lets everybody read a bundle, which cosign writes for its user alone. */
const makeReadable = (bundle: string): void => chmodSync(bundle, 0o644);

/** Signs a file: the bundle lies beside it. */
export const signFile = ({ sign }: Signer, file: string, bundle: string): void => {
  cosign('sign-blob', ...sign, '--bundle', bundle, file);
  makeReadable(bundle);
};

/** Verifies the signature of a file. */
export const verifyFile = ({ verify }: Signer, file: string, bundle: string): void => {
  cosign('verify-blob', ...verify, '--bundle', bundle, file);
};

/** Signs a statement: `file` gets it, `bundle` its signature and itself. */
export const signStatement = ({ sign }: Signer, statement: Statement, file: string, bundle: string): void => {
  writeFileSync(file, JSON.stringify(statement));
  cosign('attest-blob', ...sign, '--statement', file, '--bundle', bundle);
  makeReadable(bundle);
};

/** Verifies that a signed statement of this type is about this file. */
export const verifyStatement = ({ verify }: Signer, type: string, file: string, bundle: string): void => {
  cosign('verify-blob-attestation', ...verify, '--type', type, '--bundle', bundle, file);
};

/** Signs an image or chart in its registry, and every manifest of an index. */
export const signReference = ({ sign }: Signer, reference: string): void => {
  cosign('sign', ...sign, '--recursive', reference);
};

/** Stores a signed statement beside what it is about. */
export const attach = (bundle: string, reference: string): void => {
  cosign('attach', 'attestation', '--attestation', bundle, reference);
};

/** Verifies the signature of an image or chart in its registry. */
export const verifyReference = ({ verify }: Signer, reference: string): void => {
  cosign('verify', ...verify, reference);
};

/** Verifies that a registry has a signed statement of this type about an image or chart. */
export const verifyAttestation = ({ verify }: Signer, type: string, reference: string): void => {
  cosign('verify-attestation', ...verify, '--type', type, reference);
};
