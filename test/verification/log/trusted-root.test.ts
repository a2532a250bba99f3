import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicLogs } from '../../../src/verification/log/public-logs.ts';
import type { TrustedLogs } from '../../../src/verification/log/trusted-log.ts';
import { parseTrustedRoot } from '../../../src/verification/log/trusted-root.ts';
import { fixturePath } from '../../support/fixtures.ts';

const text = readFileSync(fixturePath('cosign/keys/trusted_root.json'), 'utf8');
const [first, second] = (JSON.parse(text) as { readonly tlogs: readonly Record<string, object>[] }).tlogs;
const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';

const rootOf = (...tlogs: readonly unknown[]) => JSON.stringify({ mediaType, tlogs });
const withKey = (change: object) => ({ ...second, publicKey: { ...second?.['publicKey'], ...change } });
const problemOf = (root: string) => {
  const parsed = parseTrustedRoot(root);
  return parsed.ok ? 'none' : parsed.problem;
};

const spkiOf = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve })
    .publicKey.export({ type: 'spki', format: 'der' })
    .toString('base64');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ type: 'spki', format: 'der' })
  .toString('base64');
const trailing = (base64: string) =>
  Buffer.concat([Buffer.from(base64, 'base64'), Buffer.of(0)]).toString('base64');
const rawBytesOf = (log: Record<string, object> | undefined) =>
  (log?.['publicKey'] as { readonly rawBytes: string } | undefined)?.rawBytes ?? '';

describe('a trusted root is refused', () => {
  it.each([
    ['that is no JSON', '{', 'it is not JSON in UTF-8'],
    ['with a key twice', text.replace('"tlogs"', '"tlogs": [], "tlogs"'), 'the key "tlogs" occurs twice'],
    ['that is something else', '[]', 'mediaType is not that of a Sigstore trusted root, version 0.1 or 0.2'],
    [
      'of a version to come',
      text.replace('version=0.1', 'version=0.9'),
      'mediaType is not that of a Sigstore trusted root, version 0.1 or 0.2',
    ],
    ['without logs', rootOf(), 'tlogs names no transparency log'],
    [
      'with logs that are no list',
      JSON.stringify({ mediaType, tlogs: {} }),
      'tlogs names no transparency log',
    ],
    ['with a log twice', rootOf(first, second, first), 'tlogs[2] occurs twice'],
  ])('%s', (_, root, problem) => {
    expect(problemOf(root)).toBe(problem);
  });

  const NO_START = 'tlogs[1].publicKey.validFor.start is missing: the time from which the key counts';
  const notKey = (kind: string) =>
    `tlogs[1].publicKey.rawBytes is not a key of the kind ${kind} (DER in base64)`;
  it.each([
    ['that is null', null, 'tlogs[1] is not an object'],
    [
      'that hashes otherwise',
      { ...second, hashAlgorithm: 'SHA2_512' },
      'tlogs[1].hashAlgorithm is not SHA2_256',
    ],
    ['without an address', { ...second, baseUrl: undefined }, 'tlogs[1].baseUrl is not a URL with a host'],
    ['of an empty address', { ...second, baseUrl: '' }, 'tlogs[1].baseUrl is not a URL with a host'],
    ['at a file', { ...second, baseUrl: 'file:///log' }, 'tlogs[1].baseUrl is not a URL with a host'],
    [
      'without a key',
      { ...second, publicKey: undefined },
      'tlogs[1].publicKey.keyDetails is neither PKIX_ECDSA_P256_SHA_256 nor PKIX_ED25519',
    ],
    [
      'with a key of a kind that logs do not have',
      withKey({ keyDetails: 'PKIX_RSA_PKCS1V15_2048_SHA256', rawBytes: rsa }),
      'tlogs[1].publicKey.keyDetails is neither PKIX_ECDSA_P256_SHA_256 nor PKIX_ED25519',
    ],
    ['with no key bytes', withKey({ rawBytes: undefined }), notKey('PKIX_ED25519')],
    ['with bytes that are no key', withKey({ rawBytes: 'AAAA' }), notKey('PKIX_ED25519')],
    ['with base64 unpadded', withKey({ rawBytes: rawBytesOf(second).slice(0, -1) }), notKey('PKIX_ED25519')],
    [
      'with a byte after its key',
      withKey({ rawBytes: trailing(rawBytesOf(second)) }),
      notKey('PKIX_ED25519'),
    ],
    ['with a key of the other kind', withKey({ rawBytes: rawBytesOf(first) }), notKey('PKIX_ED25519')],
    [
      'with a key on another curve',
      withKey({ keyDetails: 'PKIX_ECDSA_P256_SHA_256', rawBytes: spkiOf('P-384') }),
      notKey('PKIX_ECDSA_P256_SHA_256'),
    ],
    [
      'with a date for a time',
      withKey({ validFor: { start: '2025-01-01' } }),
      'tlogs[1].publicKey.validFor.start is not an RFC 3339 time',
    ],
    ['without the time for which its key counts', withKey({ validFor: undefined }), NO_START],
    ['whose key has no start', withKey({ validFor: { end: '2026-01-02T03:04:05Z' } }), NO_START],
    ['whose key has a start of null', withKey({ validFor: { start: null } }), NO_START],
    [
      'that ends on no day',
      withKey({ validFor: { start: '2025-01-01T00:00:00Z', end: '2025-13-01T00:00:00Z' } }),
      'tlogs[1].publicKey.validFor.end is not an RFC 3339 time',
    ],
    ['without an id', { ...second, logId: undefined }, 'tlogs[1].logId.keyId is not the id of its key'],
    [
      'with the id of another',
      { ...second, logId: first?.['logId'] },
      'tlogs[1].logId.keyId is not the id of its key',
    ],
    // The id of a Rekor v2 key covers the name of its log.
    [
      'with its key under another name',
      { ...second, baseUrl: 'https://elsewhere.test' },
      'tlogs[1].logId.keyId is not the id of its key',
    ],
    [
      'with another id for its checkpoints',
      { ...second, checkpointKeyId: first?.['logId'] },
      'tlogs[1].checkpointKeyId.keyId is not the id of its key',
    ],
    [
      'with too little of an id for its checkpoints',
      { ...second, checkpointKeyId: { keyId: '' } },
      'tlogs[1].checkpointKeyId.keyId is not the id of its key',
    ],
  ])('for a log %s', (_, log, problem) => {
    expect(problemOf(rootOf(first, log))).toBe(problem);
  });
});

describe('a trusted root is read', () => {
  it('with its logs of both generations', () => {
    const parsed = parseTrustedRoot(text);
    const logs = parsed.ok ? parsed.logs : [];
    expect(logs.map(({ key, ...log }) => ({ ...log, key: key.asymmetricKeyType }))).toEqual([
      {
        host: 'localhost',
        id: '73f02868733741b76095d808cdd50d7958eeef14a220a3a3017e4651686f6456',
        key: 'ec',
        validFrom: Date.UTC(2021, 0, 12, 11, 53, 27),
        validUntil: undefined,
      },
      {
        host: 'log2.lab.test',
        id: '2762e190b05161a3ea2184ba2e7c568c1a21305f86775c248f62934f310205d7',
        key: 'ed25519',
        validFrom: Date.UTC(2025, 0, 1),
        validUntil: undefined,
      },
    ]);
  });

  it('with an address that lacks its scheme, a time that ends, and one whose end is null as protojson may write it', () => {
    const window = { start: '2025-01-01T00:00:00Z', end: '2026-01-02T03:04:05.999999999Z' };
    const { validFor } = (first?.['publicKey'] ?? {}) as { readonly validFor?: object };
    const parsed = parseTrustedRoot(
      rootOf(
        { ...withKey({ validFor: window }), baseUrl: 'log2.lab.test', checkpointKeyId: null },
        { ...first, publicKey: { ...first?.['publicKey'], validFor: { ...validFor, end: null } } },
      ),
    );
    expect(
      parsed.ok && parsed.logs.map(({ host, validFrom, validUntil }) => [host, validFrom, validUntil]),
    ).toEqual([
      ['log2.lab.test', Date.UTC(2025, 0, 1), Date.UTC(2026, 0, 2, 3, 4, 5, 999)],
      ['localhost', Date.UTC(2021, 0, 12, 11, 53, 27), undefined],
    ]);
  });

  it('of version 0.2, with the short id of its checkpoints', () => {
    const root = JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
      tlogs: [{ ...second, checkpointKeyId: { keyId: 'J2LhkA==' } }],
    });
    expect(problemOf(root)).toBe('none');
  });

  it('as Sigstore publishes it, and is what is built in', () => {
    const published = parseTrustedRoot(readFileSync(fixturePath('cosign/trust/trusted_root.json'), 'utf8'));
    // Keys as their bytes: what else a KeyObject holds differs from one Node to another.
    const plain = (logs: TrustedLogs) =>
      logs.map((log) => ({ ...log, key: log.key.export({ type: 'spki', format: 'der' }) }));
    expect(published.ok && plain(published.logs)).toEqual(plain(publicLogs));
    expect(publicLogs.map(({ id }) => id)).toEqual([
      'c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d',
      'cf1199155bddd051268d1f16ac5c0c75c009f6fb5a63f4177f8e18d7051e3fa0',
    ]);
  });
});
