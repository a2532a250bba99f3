import { describe, expect, it } from 'vitest';
import { type CosignSettings, cosignCommand, cosignDifference } from '../../src/cli/verify/cosign-command.ts';
import { parseImageReference, repositoryFromName } from '../../src/image/index.ts';
import { releaseKeys } from '../../src/istio/index.ts';
import { reasonCodes } from '../../src/policy/index.ts';
import type { KeySpec } from '../../src/verification/index.ts';

const file = (path: string): KeySpec => ({ location: { kind: 'file', path } });

const commandOf = (
  image: string,
  source: string,
  settings: Partial<CosignSettings> = {},
  signaturesAt?: string,
): string => {
  const parsed = parseImageReference(image);
  if (!parsed.ok) throw new Error(parsed.problem);
  const repository =
    signaturesAt === undefined ? parsed.reference.repository : repositoryFromName(signaturesAt);
  return cosignCommand(parsed.reference, repository, source, {
    keys: [file(source)],
    registries: [],
    transparencyLog: 'ignore',
    caFile: undefined,
    registryConfig: undefined,
    ...settings,
  });
};

describe('the cosign command', () => {
  it('names the image as it was written, and the key', () => {
    expect(commandOf('istio/pilot:1.28.0', 'corp.pub')).toBe(
      'cosign verify --key corp.pub --insecure-ignore-tlog istio/pilot:1.28.0',
    );
  });

  it('has Istio’s first release key by its published URL, and the second by its own', () => {
    const keys = releaseKeys;
    const image = 'docker.io/istio/pilot:1.28.0';
    expect(commandOf(image, 'istio-release-1', { keys })).toBe(
      `cosign verify --key https://istio.io/misc/istio-key.pub --insecure-ignore-tlog ${image}`,
    );
    expect(commandOf(image, 'https://istio.io/misc/istio-key-v2.pub', { keys })).toBe(
      `cosign verify --key https://istio.io/misc/istio-key-v2.pub --insecure-ignore-tlog ${image}`,
    );
  });

  it('quotes what a shell would take apart', () => {
    expect(commandOf('a/b:c', "my keys/it's.pub")).toBe(
      String.raw`cosign verify --key 'my keys/it'\''s.pub' --insecure-ignore-tlog a/b:c`,
    );
    expect(commandOf('a/b:c', '$(rm -rf ~)')).toContain("--key '$(rm -rf ~)'");
  });

  it('allows plain HTTP for the registry that it is allowed for, and for no other', () => {
    const registries = [
      { host: 'plain.example:5000', plainHttp: true },
      { host: 'other.example', plainHttp: false },
    ];
    expect(commandOf('plain.example:5000/a:1', 'k.pub', { registries })).toBe(
      'cosign verify --key k.pub --insecure-ignore-tlog --allow-http-registry plain.example:5000/a:1',
    );
    expect(commandOf('other.example/a:1', 'k.pub', { registries })).not.toContain('--allow-http-registry');
    expect(commandOf('third.example/a:1', 'k.pub', { registries })).not.toContain('--allow-http-registry');
  });

  it('has the authority of the registry, or else the one of all', () => {
    const settings = { registries: [{ host: 'own.example', caFile: 'own.pem' }], caFile: 'all.pem' };
    expect(commandOf('own.example/a:1', 'k.pub', settings)).toContain('--registry-cacert own.pem own.');
    expect(commandOf('other.example/a:1', 'k.pub', settings)).toContain('--registry-cacert all.pem other.');
  });

  it('leads cosign to the credentials, where it can read them', () => {
    const command = 'cosign verify --key k.pub --insecure-ignore-tlog a/b:c';
    expect(commandOf('a/b:c', 'k.pub', { registryConfig: '/my creds/config.json' })).toBe(
      `DOCKER_CONFIG='/my creds' ${command}`,
    );
    expect(commandOf('a/b:c', 'k.pub', { registryConfig: 'creds.json' })).toBe(command);
  });

  it('asks the log where it is required, and trusts the logs that are trusted here', () => {
    const transparencyLog = 'require' as const;
    expect(commandOf('a/b:c', 'k.pub', { transparencyLog })).toBe('cosign verify --key k.pub a/b:c');
    const trustedRoot = { path: 'my root.json', logs: [] };
    expect(commandOf('a/b:c', 'k.pub', { transparencyLog, trustedRoot })).toBe(
      "cosign verify --key k.pub --trusted-root 'my root.json' a/b:c",
    );
  });

  it('leads cosign to the repository that holds the signatures', () => {
    expect(commandOf('r.example/istio/pilot:1', 'k.pub', {}, 'docker.io/istio/pilot')).toBe(
      'COSIGN_REPOSITORY=docker.io/istio/pilot cosign verify --key k.pub --insecure-ignore-tlog r.example/istio/pilot:1',
    );
  });

  it('has a file for a key that stands in the configuration, and says which', () => {
    const keys: readonly KeySpec[] = [{ location: { kind: 'inline', name: 'keys[0].inline', text: '' } }];
    expect(commandOf('a/b:c', 'keys[0].inline', { keys })).toBe(
      'cosign verify --key KEY.pub --insecure-ignore-tlog a/b:c   (KEY.pub: the key of keys[0].inline)',
    );
  });

  it('has the first file of a key that is in two', () => {
    const keys = [file('one.pub'), file('other.pub')];
    expect(commandOf('a/b:c', 'one.pub, other.pub', { keys })).toContain('--key one.pub --insecure');
  });
});

describe('why cosign differs', () => {
  it('is said of what it does not compare, and of nothing else', () => {
    expect(reasonCodes.filter((code) => cosignDifference(code) !== undefined)).toEqual([
      'image-revoked',
      'component-mismatch',
      'signature-invalid',
      'too-many-signatures',
    ]);
  });
});
