import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findFalseProof } from '../../../src/verification/log/inclusion.ts';
import { createProveLogged } from '../../../src/verification/log/prove-logged.ts';
import { createSigner, signBytes } from '../../support/signing-kit.ts';
import { hashedrekord2, type Subject } from './bodies.ts';
import { around, checkpointOf, createLog, entryOf, proofOf, type TestProof } from './log-kit.ts';

const signer = createSigner();
const payload = Buffer.from('what was signed');
const signedBytes = Buffer.from(`DSSEv1 10 text/plain ${payload.length} ${payload.toString()}`);
const key = signer.publicKey;
const subject: Subject = { key, payload, signedBytes, signature: signBytes(signer, signedBytes) };
const body = hashedrekord2(subject);

const first = createLog('rekor.test');
const second = createLog('tiles.test', 'ed25519');
const stranger = createLog('tiles.test', 'ed25519');
const prove = createProveLogged([first.trusted, second.trusted]);

const proveWith = (inclusionProof: unknown, log = second) =>
  prove({
    ...subject,
    format: 'sigstore-bundle',
    entries: [{ ...entryOf(log, body), inclusionPromise: undefined, inclusionProof }],
  });

const good = proofOf(second, around(body), 1);
const root = Buffer.from(good.rootHash, 'base64');
const proven = (logIndex: string) => ({ proof: { logIndex, integratedTime: undefined } });
const problem = (text: string) => ({ problem: text });
const cut = (proof: TestProof, change: object) => ({ ...proof, ...change });
const envelope = (text: string) => ({ checkpoint: { envelope: text } });
const other = proofOf(second, [...around(body), Buffer.from('later')], 1);

describe('an inclusion proof is refused', () => {
  const unread = (field: string) => `the inclusion proof of a log entry has no valid "${field}"`;
  const wrongCount = 'the inclusion proof is invalid: invalid hash count';
  const wrongRoot = 'the inclusion proof is invalid: calculated root hash does not match inclusion proof';
  const notSigned = 'the inclusion proof is invalid: invalid checkpoint signature';

  it.each([
    ['that is no object', [good], unread('rootHash')],
    ['without a checkpoint', cut(good, { checkpoint: undefined }), unread('checkpoint')],
    ['with hashes that are no list', cut(good, { hashes: {} }), unread('hashes')],
    ['with a hash that is no hash', cut(good, { hashes: ['AAAA'] }), unread('hashes')],
    [
      'with more hashes than any tree has',
      cut(good, { hashes: Array.from({ length: 65 }, () => good.rootHash) }),
      unread('hashes'),
    ],
    ['with an index below none', cut(good, { logIndex: '-1' }), unread('logIndex')],
    ['with an index in hex', cut(good, { logIndex: '0x1' }), unread('logIndex')],
    ['with a root in URL-safe base64', cut(good, { rootHash: '_-8=' }), unread('rootHash')],
    ['cut short', cut(good, { hashes: good.hashes.slice(0, 1) }), wrongCount],
    ['without hashes', cut(good, { hashes: undefined }), wrongCount],
    ['drawn out', cut(good, { hashes: [...good.hashes, good.rootHash] }), wrongCount],
    ['with its hashes in another order', cut(good, { hashes: good.hashes.toReversed() }), wrongRoot],
    ['of the leaf beside it', proofOf(second, around(body), 0), wrongRoot],
    ['with the index of the leaf beside it', cut(good, { logIndex: '0' }), wrongRoot],
    [
      'with an index out of the tree',
      cut(good, { logIndex: '3' }),
      'the inclusion proof is invalid: invalid index: 3',
    ],
    [
      'with the largest index there can be',
      cut(good, { logIndex: '9223372036854775807' }),
      'the inclusion proof is invalid: invalid index: 9223372036854775807',
    ],
    [
      'with another root beside the checkpoint',
      cut(good, { rootHash: other.rootHash }),
      'the inclusion proof and the checkpoint have different root hashes',
    ],
    [
      'with another size beside the checkpoint',
      cut(good, { treeSize: '4' }),
      'the checkpoint is for a tree of another size',
    ],
    [
      'with the checkpoint of another tree',
      cut(good, { checkpoint: other.checkpoint }),
      'the checkpoint is for a tree of another size',
    ],
    [
      'with the checkpoint and root of another tree',
      cut(other, { hashes: good.hashes, logIndex: '3' }),
      wrongRoot,
    ],
    ['with the checkpoint of a stranger', proofOf(stranger, around(body), 1), notSigned],
    [
      'with the checkpoint of a stranger who says he is the log',
      proofOf({ ...stranger, trusted: { ...stranger.trusted, id: second.trusted.id } }, around(body), 1),
      notSigned,
    ],
    [
      'with a checkpoint that the log signed as another',
      proofOf(second, around(body), 1, { origin: 'elsewhere.test' }),
      'the checkpoint is from another log',
    ],
    [
      'with a checkpoint that a log of Rekor v2 signed as one of Rekor v1',
      proofOf(second, around(body), 1, { origin: 'elsewhere.test - 42' }),
      'the checkpoint is from another log',
    ],
  ])('%s', (_, proof, words) => {
    expect(proveWith(proof)).toEqual(problem(words));
  });

  const note = good.checkpoint.envelope;
  it.each([
    ['empty', ''],
    ['without signatures', note.slice(0, note.indexOf('\n\n') + 2)],
    ['without the line feed at its end', note.trimEnd()],
    ['with text after its signatures', `${note}\n`],
    ['with CR before LF', note.replaceAll('\n', '\r\n')],
    ['with a signature in URL-safe base64', `${note.trimEnd().slice(0, -2)}_=\n`],
    ['of two lines', note.replace(`${good.rootHash}\n`, '')],
  ])('with a checkpoint that is %s', (_, text) => {
    expect(proveWith(cut(good, envelope(text)))).toEqual(problem('the checkpoint is malformed'));
  });

  it.each(['0x3', '03', '3.0', ' 3', '3e0'])('with a checkpoint of the size %s', (size) => {
    expect(proveWith(cut(good, envelope(checkpointOf(second, size, root))))).toEqual(
      problem('the checkpoint is for a tree of another size'),
    );
  });
});

describe('an inclusion proof holds', () => {
  it('in either kind of log', () => {
    expect(proveWith(good)).toEqual(proven('1'));
    expect(proveWith(proofOf(first, around(body), 1), first)).toEqual(proven('1'));
  });

  it('where protojson leaves out what is 0 and empty', () => {
    const { rootHash, treeSize, checkpoint } = proofOf(second, [body], 0);
    expect(proveWith({ rootHash, treeSize, checkpoint })).toEqual(proven('0'));
  });

  it('with further lines in the checkpoint and with cosignatures of witnesses', () => {
    const cosignatures = '\u2014 witness.test AAAAAAAAAAAAAAAA\n';
    expect(proveWith(proofOf(second, around(body), 1, { lines: 'more\n', cosignatures }))).toEqual(
      proven('1'),
    );
  });

  // sigstore/rekor signs with the name in --rekor_server.hostname, which private instances leave at its default.
  it('where Rekor v1 signs as another name than its address has', () => {
    expect(proveWith(proofOf(first, around(body), 1, { origin: 'rekor.sigstore.dev - 42' }), first)).toEqual(
      proven('1'),
    );
  });

  it('for every leaf of every tree, and at no other index', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1))),
        fc.nat(41),
        ([size, index], claimed) => {
          const leaves = Array.from({ length: size }, (_, at) =>
            at === index ? body : Buffer.from(`leaf ${at}`),
          );
          const proof = { ...proofOf(second, leaves, index), logIndex: String(claimed) };
          const result = proveWith(proof);
          expect('proof' in result).toBe(claimed === index);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('for no signature but that of its body, even where the caller does not compare them', () => {
    const entry = {
      logId: second.trusted.id,
      body,
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      promise: undefined,
      proof: undefined,
    };
    const proof = {
      ...good,
      rootHash: root,
      hashes: good.hashes.map((hash) => Buffer.from(hash, 'base64')),
      checkpoint: good.checkpoint.envelope,
    };
    expect(findFalseProof(entry, proof, second.trusted, subject)).toBeUndefined();
    const signature = signBytes(signer, Buffer.from('another'));
    expect(findFalseProof(entry, proof, second.trusted, { ...subject, signature })).toBe(
      'the inclusion proof is invalid: signature mismatch',
    );
  });
});
