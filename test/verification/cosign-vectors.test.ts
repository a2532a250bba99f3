import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryFromName } from '../../src/image/index.ts';
import {
  createVerifier,
  loadProveLogged,
  parseKeys,
  parseTrustedRoot,
  type Verification,
  type VerificationRequest,
} from '../../src/verification/index.ts';
import { fixturePath, readFixture } from '../support/fixtures.ts';
import { startRegistry } from '../support/registry-server.ts';
import { FOREVER, LIMITS, requestFor, ringOf, wordOf } from './harness.ts';
import { registriesOf } from './plain-http-registries.ts';

type Log = 'ignore' | 'require';
type Expected = Readonly<Record<string, Readonly<Record<Log, 'accept' | 'reject' | 'either'>>>>;

const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
/** Bytes that do not match their digest also count as a rejection. An internal error never matches. */
const WORDS = {
  accept: /^verified$/,
  reject: /^(?!verified|internal-error|registry-(?!answer-invalid)|deadline)/,
  either: /^(?!internal-error)/,
};

const expected = readFixture<Expected>('cosign/expected.json');
const names = Object.keys(expected);

const registry = await startRegistry();
/** One for each kind of registry: the absence of the referrers API is cached per registry. */
const registries = { referrers: registriesOf(registry.host), fallback: registriesOf(registry.host) };
afterAll(async () => {
  await Promise.all(Object.values(registries).map((each) => each.close()));
  await registry.close();
});

const parsed = await parseKeys(readFileSync(fixturePath('cosign/keys/cosign.pub'), 'utf8'));
const ring = ringOf(
  (parsed.ok ? parsed.keys : []).map((key) => ({
    ...key,
    source: 'cosign.pub',
    pinned: true,
    for: undefined,
    covers: undefined,
  })),
);
const root = parseTrustedRoot(readFileSync(fixturePath('cosign/keys/trusted_root.json'), 'utf8'));
if (!root.ok) throw new Error(root.problem);
const proveLogged = await loadProveLogged(root.logs);

/** All vectors have the same digest, so each needs a memory of its own. */
const verifyVector = (
  name: string,
  log: Log,
  changes: (repository: string) => Partial<VerificationRequest> = () => ({}),
): Promise<Verification> => {
  const repository = `${registry.host}/${registry.loadVector(name)}`;
  const { verify } = createVerifier({
    open: registries[name.startsWith('fallback/') ? 'fallback' : 'referrers'].open,
    ring: () => ring,
    limits: LIMITS,
    tagMemory: 0,
    now: Date.now,
    report: String,
    ...(log === 'require' ? { proveLogged } : {}),
  });
  return verify(requestFor(`${repository}@${DIGEST}`, changes(repository)), FOREVER);
};

describe.each(['ignore', 'require'] as const)(
  'vectors of real cosign over HTTP, transparency log: %s',
  (log) => {
    it.each(names)('%s comes out as expected', async (name) => {
      expect(wordOf(await verifyVector(name, log))).toMatch(WORDS[expected[name]?.[log] ?? 'accept']);
    });
  },
);

describe('vectors of real cosign', () => {
  it('are 188 verdicts', () => {
    expect(names.length * 2).toBe(188);
  });

  it.each([
    ['b02-subject-other-image', 'signature-for-other-image'],
    ['b04-subject-sha512-only', 'signature-invalid'],
    ['b05-subject-empty', 'signature-invalid'],
    ['b06-predicate-other', 'signature-missing'],
    ['b08-statement-type-garbage', 'signature-invalid'],
    ['b09-payloadtype-other-signed', 'signature-missing'],
    ['b11-signed-raw-payload-not-pae', 'signer-untrusted'],
    ['b12-two-signatures', 'signature-invalid'],
    ['b14-wrong-key', 'signer-untrusted'],
    ['b17-mediatype-v0.1', 'signature-missing'],
    ['b30-message-signature-over-manifest-digest', 'signature-missing'],
    ['b31-layer-mt-octet-stream', 'signature-missing'],
    ['b36-malformed-json', 'signature-invalid'],
    ['b42-subject-uppercase-hex', 'signature-invalid'],
    ['b43-legacy-simplesigning-payload-in-dsse', 'signature-invalid'],
    ['n01-replayed-other-image', 'signature-for-other-image'],
    ['n02-wrong-key', 'signer-untrusted'],
    ['n19-signature-p1363-encoding', 'signature-invalid'],
    ['n24-critical-type-other', 'signature-invalid'],
    ['n30-layer-mediatype-foreign', 'signature-missing'],
    ['n32-1001-layers', 'too-many-signatures'],
    ['n33-1000-layers-last-good', 'too-many-signatures'],
    ['n34-declared-size-129mib', 'signature-invalid'],
    ['n36-zero-layers', 'signature-missing'],
    ['n37-sig-tag-is-index', 'signature-invalid'],
    ['s12-att-bundle-only', 'signature-missing'],
    ['s15-unsigned', 'signature-missing'],
  ])('%s is refused as %s', async (name, word) => {
    expect(wordOf(await verifyVector(`referrers/${name}`, 'ignore'))).toBe(word);
  });

  it.each([
    ['referrers/s10-oci11-experimental', 'oci-1-1'],
    ['fallback/s10-oci11-experimental', 'oci-1-1'],
    ['referrers/b17-mediatype-v0.1', 'old-bundle'],
    ['referrers/s12-att-bundle-only', undefined],
    ['referrers/s15-unsigned', undefined],
  ])('%s has no signature that is read, and what it has is named: %s', async (name, unread) => {
    const { reason } = (await verifyVector(name, 'ignore')) as { readonly reason?: object };
    expect(reason).toEqual({ code: 'signature-missing', ...(unread === undefined ? {} : { unread }) });
  });

  it.each([
    ['b22-set-by-evil-key', 'transparency-log-unproven'],
    ['b39-no-tlog', 'transparency-log-unproven'],
    ['n04-bundle-of-other-signature', 'transparency-log-unproven'],
    ['s01-legacy-notlog', 'transparency-log-unproven'],
    ['s08-bundle-notlog', 'transparency-log-unproven'],
  ])('%s is refused as %s where the log is required', async (name, word) => {
    expect(wordOf(await verifyVector(`referrers/${name}`, 'require'))).toBe(word);
  });

  it.each(['referrers', 'fallback'])(
    '%s/s14-altrepo is verified where its signatures are: in a repository of their own',
    async (mode) => {
      const name = `${mode}/s14-altrepo`;
      const at = (repository: string) => {
        registry.loadVector(`${name}-sigs`);
        return { signaturesAt: [repositoryFromName(`${repository}-sigs`)] };
      };
      expect(wordOf(await verifyVector(name, 'ignore'))).toBe('signature-missing');
      expect(wordOf(await verifyVector(name, 'ignore', at))).toBe('verified');
    },
  );
});
