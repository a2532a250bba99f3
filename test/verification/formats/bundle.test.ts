import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/image/index.ts';
import { parseBundle, parseStatement, signedBytesOf } from '../../../src/verification/formats/bundle.ts';
import {
  BUNDLE_TYPE,
  type BundleDefect,
  bundleOf,
  PAYLOAD_TYPE,
  signStatement,
} from '../../support/bundle-kit.ts';
import { createSigner } from '../../support/signing-kit.ts';

const signer = createSigner();
const digest = digestOf('an image');
const other = digestOf('another image');
const FOREIGN = { foreign: true };
const problem = (text: string) => ({ problem: text });

/** A bundle with changed members; undefined leaves a member out. */
const changed = (change: (bundle: Record<string, unknown>) => unknown): Buffer => {
  const bundle = JSON.parse(bundleOf(signer, digest).toString());
  change(bundle);
  return Buffer.from(JSON.stringify(bundle));
};
const withEnvelope = (members: object): Buffer =>
  changed((bundle) => Object.assign(bundle['dsseEnvelope'] as object, members));
const withMaterial = (members: object): Buffer =>
  changed((bundle) => Object.assign(bundle['verificationMaterial'] as object, members));

const ofType = (mediaType: string): Buffer => changed((bundle) => Object.assign(bundle, { mediaType }));

describe('a bundle is foreign', () => {
  it.each<BundleDefect>([
    'message-signature',
    'message-signature-beside',
    'other-payload-type',
    'other-version',
  ])('where it is spoiled: %s', (spoil) => {
    expect(parseBundle(bundleOf(signer, digest, { spoil }))).toEqual(FOREIGN);
  });

  it.each<[string, Buffer, string]>([
    ['was signed with a certificate', bundleOf(signer, digest, { spoil: 'certificate' }), 'keyless'],
    [
      'has a certificate beside the key',
      bundleOf(signer, digest, { spoil: 'certificate-beside' }),
      'keyless',
    ],
    ['has certificates beside the key', withMaterial({ x509CertificateChain: {} }), 'keyless'],
    ['is of version 0.1', ofType('application/vnd.dev.sigstore.bundle+json;version=0.1'), 'old-bundle'],
    ['is of version 0.2', ofType('application/vnd.dev.sigstore.bundle.v0.2+json'), 'old-bundle'],
  ])('and named where it is the signature of an image that %s', (_, bytes, unread) => {
    expect(parseBundle(bytes)).toEqual({ ...FOREIGN, unread });
  });

  it('and not named where it is an attestation with a certificate', () => {
    const attestation = { predicateType: 'https://slsa.dev/provenance/v1' };
    const payload = Buffer.from(JSON.stringify(attestation)).toString('base64');
    const bytes = changed((bundle) => {
      Object.assign(bundle['verificationMaterial'] as object, { certificate: {} });
      Object.assign(bundle['dsseEnvelope'] as object, { payload });
    });
    expect(parseBundle(bytes)).toEqual(FOREIGN);
  });

  it.each([
    ['the key is null', withMaterial({ publicKey: null })],
    ['the key is a text', withMaterial({ publicKey: 'a key' })],
    ['the key is a list', withMaterial({ publicKey: [] })],
    ['there is no material', changed((bundle) => delete bundle['verificationMaterial'])],
    ['there is no media type', changed((bundle) => delete bundle['mediaType'])],
    ['its media type is a list', changed((bundle) => Object.assign(bundle, { mediaType: [BUNDLE_TYPE] }))],
    ['there is no envelope', changed((bundle) => delete bundle['dsseEnvelope'])],
    ['the payload has no type', withEnvelope({ payloadType: undefined })],
    ['it is an empty object', Buffer.from('{}')],
    ['it is null', Buffer.from('null')],
    ['it is a list', Buffer.from('[]')],
    ['its members are inherited', Buffer.from(`{"__proto__":${bundleOf(signer, digest).toString()}}`)],
  ])('where %s', (_, bytes) => {
    expect(parseBundle(bytes)).toEqual(FOREIGN);
  });
});

describe('a bundle is a problem', () => {
  it.each<[BundleDefect, string]>([
    ['not-json', 'the bundle cannot be read: it is not JSON in UTF-8'],
    ['duplicate-keys', 'the bundle cannot be read: the key "mediaType" occurs twice'],
    ['two-signatures', 'the envelope does not have exactly one signature'],
    ['no-signature', 'the envelope does not have exactly one signature'],
    ['bad-base64', 'the signature is not standard base64'],
    ['p1363', 'the signature is not a DER-encoded ECDSA signature'],
    ['der-trailing-byte', 'the signature is not a DER-encoded ECDSA signature'],
  ])('where it is spoiled: %s', (spoil, text) => {
    expect(parseBundle(bundleOf(signer, digest, { spoil }))).toEqual(problem(text));
  });

  it.each([
    [
      'the signatures are no list',
      withEnvelope({ signatures: {} }),
      'the envelope does not have exactly one signature',
    ],
    ['the signature is null', withEnvelope({ signatures: [null] }), 'the signature is not standard base64'],
    [
      'the signature is in the alphabet of URLs',
      withEnvelope({ signatures: [{ sig: 'MEUC-_8=' }] }),
      'the signature is not standard base64',
    ],
    [
      'the signature is no text',
      withEnvelope({ signatures: [{ sig: 1 }] }),
      'the signature is not standard base64',
    ],
    [
      'the payload is no text',
      withEnvelope({ payload: {} }),
      'the payload of the envelope is not standard base64',
    ],
    [
      'the payload is no base64',
      withEnvelope({ payload: 'a-_=' }),
      'the payload of the envelope is not standard base64',
    ],
    [
      'the log entries are no list',
      withMaterial({ tlogEntries: {} }),
      'the "tlogEntries" of the bundle are not a list',
    ],
    // As protojson, which reads null as an absent member and never as an element.
    [
      'a log entry is null',
      withMaterial({ tlogEntries: [null] }),
      'one of the "tlogEntries" of the bundle is no entry',
    ],
  ])('where %s', (_, bytes, text) => {
    expect(parseBundle(bytes)).toEqual(problem(text));
  });
});

describe('a bundle', () => {
  it.each([BUNDLE_TYPE, 'application/vnd.dev.sigstore.bundle+json;version=0.3'])(
    'of the type %s is taken apart',
    (mediaType) => {
      const entries = [{ logIndex: '1' }, {}];
      const bundle = JSON.parse(bundleOf(signer, digest, { entries }).toString());
      const parsed = parseBundle(Buffer.from(JSON.stringify({ ...bundle, mediaType })));
      expect(parsed).toEqual({
        payload: signStatement(digest),
        payloadType: PAYLOAD_TYPE,
        signature: Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64'),
        entries,
      });
    },
  );

  it('without log entries has none', () => {
    expect(parseBundle(bundleOf(signer, digest))).toMatchObject({ entries: [] });
  });

  it.each([
    ['certificate', withMaterial({ certificate: null })],
    ['x509CertificateChain', withMaterial({ x509CertificateChain: null })],
    ['tlogEntries', withMaterial({ tlogEntries: null })],
    ['messageSignature', changed((bundle) => Object.assign(bundle, { messageSignature: null }))],
  ])('is read as if %s were absent where it is null', (_, bytes) => {
    expect(parseBundle(bytes)).toMatchObject({ payload: signStatement(digest), entries: [] });
  });

  it('may hold what later versions add beside', () => {
    expect(parseBundle(withMaterial({ timestampVerificationData: {} }))).toHaveProperty('payload');
  });

  it('is parsed, foreign or a problem of one line, and never throws', () => {
    const texts = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      fc.jsonValue().map((value) => withEnvelope({ signatures: value })),
      fc.jsonValue().map((value) => withMaterial({ publicKey: value, tlogEntries: value })),
      fc.jsonValue().map((value) => changed((bundle) => Object.assign(bundle, { dsseEnvelope: value }))),
    );
    fc.assert(
      fc.property(texts, (bytes) => {
        const parsed = parseBundle(bytes);
        expect('problem' in parsed ? parsed.problem : 'none').toMatch(/^[^\r\n]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the bytes that are signed', () => {
  const signed = (payloadType: string, payload: string): string =>
    signedBytesOf({
      payload: Buffer.from(payload),
      payloadType,
      signature: Buffer.of(),
      entries: [],
    }).toString();

  // The example in DSSE's protocol.md.
  it('are the pre-authentication encoding of type and payload', () => {
    expect(signed('http://example.com/HelloWorld', 'hello world')).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('count bytes, not characters', () => {
    expect(signed('tÿpe', 'ünï')).toBe('DSSEv1 5 tÿpe 5 ünï');
  });

  it('of two different envelopes are never the same', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('0123456789 aDSEv')) });
    fc.assert(
      fc.property(text, text, text, text, (type, payload, otherType, otherPayload) => {
        const same = type === otherType && payload === otherPayload;
        expect(signed(type, payload) === signed(otherType, otherPayload)).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a statement', () => {
  const statement = (members: object): Buffer =>
    Buffer.from(JSON.stringify({ ...JSON.parse(signStatement(digest).toString()), ...members }));
  const NO_STATEMENT = 'the signed statement is not an in-toto Statement v1 of an image signature';
  const NO_DIGEST = 'the signed statement names no sha256 digest';
  const MANY = 'the signed statement has no list of at most 1024 subjects';

  it('of another predicate is foreign: somebody attests something', () => {
    expect(parseStatement(signStatement(digest, { spoil: 'other-predicate' }))).toEqual(FOREIGN);
    expect(parseStatement(statement({ predicateType: 'https://sigstore.dev/cosign/sign/v2' }))).toEqual(
      FOREIGN,
    );
  });

  it.each<[BundleDefect, string]>([
    ['other-statement-type', NO_STATEMENT],
    ['predicate-no-object', 'the predicate of the signed statement is not an object'],
    ['no-subject', NO_DIGEST],
    ['upper-case-digest', NO_DIGEST],
    ['sha512-only', NO_DIGEST],
    ['statement-not-json', 'the signed statement cannot be read: it is not JSON in UTF-8'],
    ['duplicate-keys-signed', 'the signed statement cannot be read: the key "_type" occurs twice'],
  ])('is a problem where it is spoiled: %s', (spoil, text) => {
    expect(parseStatement(signStatement(digest, { spoil }))).toEqual(problem(text));
  });

  it.each([
    ['has no predicate type', { predicateType: undefined }, NO_STATEMENT],
    ['has a list for a predicate type', { predicateType: ['x'] }, NO_STATEMENT],
    ['has no type', { _type: undefined }, NO_STATEMENT],
    ['has subjects that are no list', { subject: { digest: { sha256: digest.slice(7) } } }, MANY],
    ['has more subjects than anybody reads', { subject: Array.from({ length: 1025 }, () => ({})) }, MANY],
    ['has no subjects', { subject: null }, MANY],
    ['has subjects without a digest', { subject: [{}, { digest: null }, { digest: {} }] }, NO_DIGEST],
    ['has a digest with its algorithm', { subject: [{ digest: { sha256: digest } }] }, NO_DIGEST],
    [
      'has a text for a predicate',
      { predicate: '' },
      'the predicate of the signed statement is not an object',
    ],
    ['has a predicate of null', { predicate: null }, { digests: [digest] }],
    [
      'has a subject whose members are null',
      { subject: [{ name: null, digest: { sha256: digest.slice(7) }, annotations: null }] },
      { digests: [digest] },
    ],
  ])('that %s', (_, members, expected) => {
    expect(parseStatement(statement(members))).toEqual(
      typeof expected === 'string' ? problem(expected) : expected,
    );
  });

  it.each([
    'null',
    '1',
    '[]',
    '{"digest":1}',
    '{"digest":{"sha256":null}}',
    '{"digest":{},"annotations":"x"}',
  ])('that has the subject %s beside the image is a problem, as for protojson', (text) => {
    const subject: unknown = JSON.parse(text);
    const image = { digest: { sha256: digest.slice(7) } };
    for (const subjects of [
      [subject, image],
      [image, subject],
    ])
      expect(parseStatement(statement({ subject: subjects }))).toEqual(
        problem('a subject of the signed statement is malformed'),
      );
  });

  it.each([
    ['its predicate is empty, as cosign 3.0.5 writes it', {}],
    ['it has no predicate, as cosign 3.0.4 wrote it', { withoutPredicate: true }],
    ['it carries annotations', { annotations: { channel: 'stable' } }],
  ])('names its digest where %s', (_, options) => {
    expect(parseStatement(signStatement(digest, options))).toEqual({ digests: [digest] });
  });

  it('names every digest of several subjects', () => {
    expect(parseStatement(signStatement(digest, { otherSubjects: [other] }))).toEqual({
      digests: [other, digest],
    });
  });
});
