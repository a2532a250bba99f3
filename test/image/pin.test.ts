import { describe, expect, it } from 'vitest';
import {
  type Digest,
  droppedDigest,
  type ImageReference,
  parseImageReference,
  pinReference,
  unpinnedText,
} from '../../src/image/index.ts';
import { digestFor } from '../support/verdicts.ts';

const referenceOf = (text: string): ImageReference => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.reference;
};
const [DIGEST, OTHER]: readonly [Digest, Digest] = [digestFor('one'), digestFor('other')];

describe('a digest is not appended to', () => {
  it('a reference that has one', () => {
    expect(pinReference(referenceOf(`istio/proxyv2:1@${OTHER}`), DIGEST)).toBeUndefined();
  });

  it('a reference that would be too long to parse', () => {
    const port = `${'0'.repeat(4040)}443`;
    expect(pinReference(referenceOf(`a.example:${port}/istio/proxyv2:1`), DIGEST)).toBeUndefined();
  });
});

it.each([
  'proxyv2',
  'istio/proxyv2:1.28.0',
  'docker.io/istio/proxyv2',
  'Registry.Corp.example:5000/istio/proxyv2:1',
  '[::1]:5000/istio/proxyv2:1',
  'my_registry.example/istio/proxyv2:1',
  `istio/${'a'.repeat(249)}:${'t'.repeat(128)}`,
  'istio/proxyv2:sha256',
])('%s with a digest appended is the digest of the same repository', (text) => {
  const reference = referenceOf(text);
  const pinned = pinReference(reference, DIGEST);
  expect(pinned).toBe(`${text}@${DIGEST}`);
  expect(referenceOf(pinned as string)).toMatchObject({ repository: reference.repository, digest: DIGEST });
});

it.each([
  ['istio/proxyv2:1', `istio/proxyv2:1@${DIGEST}`, DIGEST],
  ['istio/proxyv2:1', `index.docker.io/istio/proxyv2:1@${DIGEST}`, DIGEST],
  ['istio/proxyv2', `istio/proxyv2@${DIGEST}`, DIGEST],
  ['istio/proxyv2:latest', `istio/proxyv2@${DIGEST}`, undefined],
  ['istio/proxyv2', `istio/proxyv2:latest@${DIGEST}`, undefined],
  ['istio/proxyv2:1', `istio/proxyv2@${DIGEST}`, undefined],
  ['istio/proxyv2:1', `istio/proxyv2:2@${DIGEST}`, undefined],
  ['istio/proxyv2:1', `istio/pilot:1@${DIGEST}`, undefined],
  ['istio/proxyv2:1', 'istio/proxyv2:1', undefined],
  [`istio/proxyv2:1@${OTHER}`, `istio/proxyv2:1@${DIGEST}`, undefined],
])('%s drops the digest of %s: %s', (after, before, dropped) => {
  expect(droppedDigest(referenceOf(before), referenceOf(after))).toBe(dropped);
});

it.each([
  [`istio/proxyv2:1@${DIGEST}`, 'istio/proxyv2:1'],
  [`istio/proxyv2@${DIGEST}`, undefined],
  ['istio/proxyv2:1', undefined],
  ['istio/proxyv2', undefined],
])('%s without its digest is %s', (text, unpinned) => {
  expect(unpinnedText(referenceOf(text))).toBe(unpinned);
});
