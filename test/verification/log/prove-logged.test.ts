import { describe, expect, it } from 'vitest';
import { findUnproven } from '../../../src/verification/log/find-unproven.ts';
import type { LoggedSignature } from '../../../src/verification/log/log-proof.ts';
import { createProveLogged } from '../../../src/verification/log/prove-logged.ts';
import { createSigner, signBytes } from '../../support/signing-kit.ts';
import { dsse, dsse2, hashedrekord, hashedrekord2, intoto, rekord, type Subject } from './bodies.ts';
import { annotationOf, createLog, entryOf, promiseOf } from './log-kit.ts';
import { annotatedVector, bundledVector, cosignKey, otherKey, vectorLogs } from './vectors.ts';

const TYPE = 'application/vnd.in-toto+json';
const TIME = 1_700_000_000;

const signer = createSigner();
const payload = Buffer.from('{"what":"was signed"}');
const enveloped = Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload]);
const key = signer.publicKey;
const plain: Subject = { key, payload, signedBytes: payload, signature: signBytes(signer, payload) };
const wrapped: Subject = { key, payload, signedBytes: enveloped, signature: signBytes(signer, enveloped) };

const log = createLog('rekor.test');
const tiles = createLog('tiles.test', 'ed25519');
const stranger = createLog('stranger.test');
const prove = createProveLogged([log.trusted, tiles.trusted]);

const annotated = (annotation: string | undefined): LoggedSignature => ({
  ...plain,
  format: 'simple-signing',
  annotation,
});
const bundled = (...entries: readonly unknown[]): LoggedSignature => ({
  ...wrapped,
  format: 'sigstore-bundle',
  entries,
});

const proven = (logIndex: string, integratedTime?: number) => ({ proof: { logIndex, integratedTime } });
const problem = (text: string) => ({ problem: text });

const foreign = [
  ['signature', { signature: signBytes(signer, Buffer.from('another message')) }, 'another signature'],
  ['signed bytes', { payload: Buffer.from('x'), signedBytes: Buffer.from('x') }, 'other signed bytes'],
  ['key', { key: createSigner().publicKey }, 'another key'],
] as const;

describe('an entry that the log holds and that is of something else', () => {
  it.each(
    [['hashedrekord 0.0.1', hashedrekord] as const, ['rekord 0.0.1', rekord] as const].flatMap(
      ([kind, body]) => foreign.map(([part, ...row]) => [part, kind, body, ...row] as const),
    ),
  )('another %s: a %s entry of a .sig signature', (_part, _kind, body, change, words) => {
    const annotation = annotationOf(log, body({ ...plain, ...change }));
    expect(prove(annotated(annotation))).toEqual(problem(`the log entry is for ${words}`));
  });

  it.each(
    [
      ['dsse 0.0.1', log, dsse] as const,
      ['intoto 0.0.2', log, intoto] as const,
      ['hashedrekord 0.0.1', log, hashedrekord] as const,
      ['hashedrekord 0.0.2', tiles, hashedrekord2] as const,
      ['dsse 0.0.2', tiles, dsse2] as const,
    ].flatMap(([kind, of, body]) => foreign.map(([part, ...row]) => [part, kind, of, body, ...row] as const)),
  )('another %s: a %s entry of a bundle', (_part, _kind, of, body, change, words) => {
    const entry = entryOf(of, body({ ...wrapped, ...change }));
    expect(prove(bundled(entry))).toEqual(problem(`the log entry is for ${words}`));
  });

  it.each([
    ['s02-legacy-tlog', 's04-legacy-annotations'],
    ['s04-legacy-annotations', 's06-legacy-by-c3-tlog'],
  ])('%s with the annotation of %s', (one, other) => {
    const { annotation } = annotatedVector(`referrers/${other}`);
    expect(createProveLogged(vectorLogs)({ ...annotatedVector(`referrers/${one}`), annotation })).toEqual(
      problem('the log entry is for another signature'),
    );
  });

  it.each([
    ['s07-bundle-tlog', 's17-bundle-annotations'],
    ['r01-rekor2-good', 's07-bundle-tlog'],
  ])('%s with the entries of %s', (one, other) => {
    const { entries } = bundledVector(`referrers/${other}`);
    expect(createProveLogged(vectorLogs)({ ...bundledVector(`referrers/${one}`), entries })).toEqual(
      problem('the log entry is for another signature'),
    );
  });

  // n42, b27 and r05 of the first vectors, which @sigstore/verify accepts.
  it.each(['s02-legacy-tlog', 's07-bundle-tlog', 'r01-rekor2-good'])(
    '%s, had another key made the signature',
    (vector) => {
      const read = vector.startsWith('s02') ? annotatedVector : bundledVector;
      const logged = read(`referrers/${vector}`);
      expect(createProveLogged(vectorLogs)({ ...logged, key: otherKey })).toEqual(
        problem('the log entry is for another key'),
      );
      expect(createProveLogged(vectorLogs)({ ...logged, key: cosignKey })).toHaveProperty('proof');
    },
  );
});

describe('a body that names no signature to compare', () => {
  const spec = JSON.parse(hashedrekord(plain).toString()).spec as object;
  const withKind = (kind: unknown, apiVersion: unknown) => JSON.stringify({ apiVersion, kind, spec });
  const text = hashedrekord(plain).toString();
  it.each([
    ['an intoto 0.0.1 entry', withKind('intoto', '0.0.1'), 'of an unsupported kind: "intoto 0.0.1"'],
    ['a kind of JavaScript', withKind('__proto__', ''), 'of an unsupported kind: "__proto__ "'],
    ['a kind in lines', withKind('a\nb', '1'), String.raw`of an unsupported kind: "a\nb 1"`],
    ['no kind', '{}', 'of an unsupported kind: "undefined undefined"'],
  ])('%s', (_, body, words) => {
    expect(prove(annotated(annotationOf(log, Buffer.from(body))))).toEqual(
      problem(`the log entry is ${words}`),
    );
  });

  it.each([
    ['no JSON', 'null and void', 'it is not JSON in UTF-8'],
    ['a key twice', text.replace('"spec":', '"spec":{},"spec":'), 'the key "spec" occurs twice'],
    ['nested without end', '['.repeat(100) + ']'.repeat(100), 'it is nested too deeply'],
  ])('%s', (_, body, words) => {
    expect(prove(annotated(annotationOf(log, Buffer.from(body))))).toEqual(
      problem(`the body of the log entry cannot be read: ${words}`),
    );
  });

  const publicKey = (content: string) =>
    JSON.stringify({
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: { ...spec, signature: { content: plain.signature.toString('base64'), publicKey: { content } } },
    });
  it.each([
    [
      'a certificate',
      publicKey(Buffer.from(signer.publicPem.replaceAll('PUBLIC KEY', 'CERTIFICATE')).toString('base64')),
      'spki',
    ],
    ['two keys', publicKey(Buffer.from(signer.publicPem.repeat(2)).toString('base64')), 'spki'],
    ['no key', text.replace('"publicKey"', '"__proto__"'), 'spki'],
    ['a digest of another kind', text.replace('"sha256"', '"sha512"'), 'sha256'],
    ['a signature in URL-safe base64', text.replace('"content":"', '"content":"-_'), 'signature'],
  ])('%s', (_, body, field) => {
    expect(prove(annotated(annotationOf(log, Buffer.from(body))))).toEqual(
      problem(`the hashedrekord 0.0.1 entry has no valid "${field}"`),
    );
  });

  it('a digest of another kind in Rekor v2', () => {
    const other = hashedrekord2(wrapped).toString().replace('SHA2_256', 'SHA2_512');
    expect(prove(bundled(entryOf(tiles, Buffer.from(other))))).toEqual(
      problem('the hashedrekord 0.0.2 entry has no valid "sha256"'),
    );
  });

  it('a kind of key that @sigstore/verify does not know and throws at', () => {
    const other = hashedrekord2(wrapped).toString().replace('PKIX_ECDSA_P256_SHA_256', String.raw`A\nB`);
    expect(prove(bundled(entryOf(tiles, Buffer.from(other))))).toEqual(
      problem('cannot verify the log entry: Error: Unrecognized enum value A B for enum PublicKeyDetails'),
    );
  });

  it.each([
    ['two signatures', [wrapped, wrapped]],
    ['none', []],
  ])('an envelope of %s', (_, subjects) => {
    const one = JSON.parse(dsse(wrapped).toString());
    const { signatures } = one.spec;
    const body = { ...one, spec: { ...one.spec, signatures: subjects.flatMap(() => signatures) } };
    expect(prove(bundled(entryOf(log, Buffer.from(JSON.stringify(body)))))).toEqual(
      problem('the dsse 0.0.1 entry has no valid "signature"'),
    );
  });
});

describe('the promise of Rekor v1', () => {
  const body = hashedrekord(plain);
  const good = annotationOf(log, body, TIME);
  const notSigned = problem('the inclusion promise is not signed by the log');

  it.each([
    ['none', undefined, 'it has no transparency log entry'],
    ['an empty one', '', 'the log annotation cannot be read: it is not JSON in UTF-8'],
    ['one without end', ' '.repeat(64 * 1024) + good, 'the log annotation is longer than 64 KiB'],
    ['null', 'null', 'the log annotation has no valid "SignedEntryTimestamp"'],
    [
      'a key twice',
      good.replace('"Payload"', '"Payload":{},"Payload"'),
      'the log annotation cannot be read: the key "Payload" occurs twice',
    ],
    [
      'what it needs behind a prototype',
      `{"__proto__":${good}}`,
      'the log annotation has no valid "SignedEntryTimestamp"',
    ],
    [
      'an index that JavaScript rounds',
      good.replace('"logIndex":7', '"logIndex":9007199254740993'),
      'the log annotation has no valid "logIndex"',
    ],
    [
      'an index below none',
      good.replace('"logIndex":7', '"logIndex":-7'),
      'the log annotation has no valid "logIndex"',
    ],
    [
      'a fraction of a time',
      good.replace(`${TIME}`, `${TIME}.5`),
      'the log annotation has no valid "integratedTime"',
    ],
    [
      'an id in capitals',
      good.replace(log.trusted.id, log.trusted.id.toUpperCase()),
      'the log annotation has no valid "logID"',
    ],
    [
      'a body in lines',
      good.replace('"body":"', String.raw`"body":"\n`),
      'the log annotation has no valid "body"',
    ],
  ])('does not come in an annotation that is %s', (_, annotation, words) => {
    expect(prove(annotated(annotation))).toEqual(problem(words));
  });

  it.each([
    ['another time', good.replace(`${TIME}`, `${TIME + 1}`)],
    ['another index', good.replace('"logIndex":7', '"logIndex":8')],
    [
      'the same body, differently written',
      annotationOf(log, body).replace(
        body.toString('base64'),
        Buffer.from(`${body.toString()} `).toString('base64'),
      ),
    ],
  ])('is not for %s', (_, annotation) => {
    expect(prove(annotated(annotation))).toEqual(notSigned);
  });

  it('counts from no log but those trusted, whatever it is called', () => {
    expect(prove(annotated(annotationOf(stranger, body)))).toEqual(
      problem(`no trusted log has the id ${stranger.trusted.id}`),
    );
    const posing = { ...stranger, trusted: { ...stranger.trusted, id: log.trusted.id } };
    expect(prove(annotated(annotationOf(posing, body)))).toEqual(notSigned);
    expect(createProveLogged([])(annotated(good))).toEqual(
      problem(`no trusted log has the id ${log.trusted.id}`),
    );
  });

  it('is nothing that a log of Rekor v2 gives', () => {
    expect(prove(annotated(annotationOf(tiles, body)))).toEqual(notSigned);
    const posing = { ...log, trusted: { ...log.trusted, id: tiles.trusted.id } };
    expect(prove(annotated(annotationOf(posing, body)))).toEqual(notSigned);
  });

  it.each([
    [TIME * 1000, TIME * 1000, true],
    [0, undefined, true],
    [TIME * 1000 + 1, undefined, false],
    [0, TIME * 1000 - 1, false],
  ])('counts while its key does: from %s until %s: %s', (validFrom, validUntil, counts) => {
    const trusted = { ...log.trusted, validFrom, validUntil };
    expect(createProveLogged([trusted])(annotated(good))).toEqual(
      counts ? proven('7', TIME) : problem('the log integrated the entry while its key was not valid'),
    );
  });

  it.each([
    ['hashedrekord', hashedrekord],
    ['rekord', rekord],
  ])('proves a .sig signature by a %s', (_, of) => {
    expect(prove(annotated(annotationOf(log, of(plain), TIME, 98_235_800)))).toEqual(
      proven('98235800', TIME),
    );
  });

  it('is none the worse for what else stands in the annotation', () => {
    expect(prove(annotated(good.replace('{', '{"new":1,')))).toEqual(proven('7', TIME));
  });

  it('must hold in a bundle as well, whatever the inclusion proof shows', () => {
    const entry = { ...entryOf(log, dsse(wrapped)), logIndex: '1008' };
    expect(prove(bundled(entry))).toEqual(notSigned);
    const late = createProveLogged([{ ...log.trusted, validUntil: 0 }]);
    expect(late(bundled(entryOf(log, dsse(wrapped))))).toEqual(
      problem('the log integrated the entry while its key was not valid'),
    );
  });

  it('may be missing only where an inclusion proof is there', () => {
    const entry = {
      logId: log.trusted.id,
      body,
      kindVersion: undefined,
      promise: undefined,
      proof: undefined,
    };
    expect(findUnproven(entry, log.trusted, plain)).toBe(
      'the log entry has neither an inclusion promise nor an inclusion proof',
    );
  });

  it('need not be in a bundle: then no time is proven, and the index is that of the tree', () => {
    const entry = { ...entryOf(log, dsse(wrapped)), inclusionPromise: undefined };
    expect(prove(bundled(entry))).toEqual(proven('1'));
  });
});

describe('the entries of a bundle', () => {
  const good = entryOf(log, dsse(wrapped));
  const other = entryOf(tiles, hashedrekord2(wrapped));

  it.each([
    ['none', [], 'it has no transparency log entry'],
    ['33', Array.from({ length: 33 }, () => good), 'it has 33 log entries; at most 32 are read'],
    ['the same one twice', [good, other, { ...good, logIndex: '3' }], 'the same log entry occurs twice'],
    ['null', [null], 'a log entry has no valid "logId.keyId"'],
    ['a list', [[good]], 'a log entry has no valid "logId.keyId"'],
    ['an inherited field', [Object.create(good)], 'a log entry has no valid "logId.keyId"'],
    ['no kind', [{ ...good, kindVersion: {} }], 'a log entry has no valid "kindVersion.kind"'],
    [
      'a lie about its kind',
      [{ ...good, kindVersion: { kind: 'dsse', version: '0.0.2' } }],
      'the log entry is not of the kind it declares',
    ],
    ['no proof', [{ ...good, inclusionProof: undefined }], 'a log entry has no inclusion proof'],
    [
      'an empty promise',
      [{ ...good, inclusionPromise: {} }],
      'the inclusion promise of a log entry has no valid "signature"',
    ],
    [
      'an index of 20 digits',
      [{ ...good, inclusionProof: { ...good.inclusionProof, logIndex: '1'.repeat(20) } }],
      'the inclusion proof of a log entry has no valid "logIndex"',
    ],
    [
      'a time that JavaScript rounds',
      [{ ...good, integratedTime: '9007199254740993' }],
      'the inclusion promise of a log entry has no valid "integratedTime"',
    ],
  ])('are not proven where there is %s', (_, entries, words) => {
    expect(prove(bundled(...entries))).toEqual(problem(words));
  });

  // As in cosign: one bad entry among good ones is a sign of tampering, not a spare.
  it('must all be proven', () => {
    const bad = entryOf(stranger, dsse(wrapped));
    expect(prove(bundled(good, bad))).toEqual(problem(`no trusted log has the id ${stranger.trusted.id}`));
    expect(prove(bundled(bad, good))).toEqual(problem(`no trusted log has the id ${stranger.trusted.id}`));
  });

  it.each([
    ['dsse 0.0.1', log, dsse, proven('1007', TIME)],
    ['intoto 0.0.2', log, intoto, proven('1007', TIME)],
    ['hashedrekord 0.0.1', log, hashedrekord, proven('1007', TIME)],
    ['hashedrekord 0.0.2', tiles, hashedrekord2, proven('1')],
    ['dsse 0.0.2', tiles, dsse2, proven('1')],
  ])('prove a signature by a %s', (_, of, body, answer) => {
    expect(prove(bundled(entryOf(of, body(wrapped))))).toEqual(answer);
  });

  it('prove it by two logs: the first is named', () => {
    expect(prove(bundled(good, other))).toEqual(proven('1007', TIME));
    expect(prove(bundled(other, good))).toEqual(proven('1'));
  });

  it('carry a time that nobody signed, which is not taken over', () => {
    expect(prove(bundled({ ...other, integratedTime: '1', logIndex: '9' }))).toEqual(proven('1'));
  });

  it('name a signature that is proven and a promise of another log that is not', () => {
    const inclusionPromise = { signedEntryTimestamp: promiseOf(stranger, dsse(wrapped), TIME, 1007) };
    expect(prove(bundled({ ...good, inclusionPromise }))).toEqual(
      problem('the inclusion promise is not signed by the log'),
    );
  });
});
