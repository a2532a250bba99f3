import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { thirdPartyPath, withThirdParty } from '../support/third-party.ts';

/* Bundles of files by a managed key, which sigstore-conformance expects every client to verify, or to refuse. */

const CASES = [
  // Its key is malformed, which is said before the bundle is read.
  ['managed-key-wrong-key_fail', 1],
  ['managed-key-happy-path', 0],
  ['managed-key-and-trusted-root', 0],
] as const;

describe.each(CASES)('sigstore-conformance, %s', (name, expected) => {
  withThirdParty(['sigstore-conformance', name, 'bundle.sigstore.json'], () => {
    it(`ends verify-blob with ${expected}`, async () => {
      const [key, bundle] = ['key.pub', 'bundle.sigstore.json'].map((file) =>
        thirdPartyPath('sigstore-conformance', name, file),
      ) as [string, string];
      const blob = thirdPartyPath('sigstore-conformance', 'a.txt');
      const { code } = await runCli(['verify-blob', '--key', key, '--bundle', bundle, blob]);
      expect(code).toBe(expected);
    });
  });
});
