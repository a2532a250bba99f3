import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseImageId } from '../../../src/scan/drift/image-id.ts';

const HEX = 'ab'.repeat(32);
const DIGEST = `sha256:${HEX}`;
const NAME = 'docker.io/istio/proxyv2';

it.each([
  ['nothing', ''],
  ['a name without a digest', NAME],
  ['a tag', `${NAME}:1.28.0`],
  ['another algorithm', `${NAME}@sha512:${HEX}${HEX}`],
  ['a short digest', `${NAME}@sha256:${HEX.slice(1)}`],
  ['capital digits', `${NAME}@sha256:${HEX.toUpperCase()}`],
  ['digits that are too few', HEX.slice(1)],
  ['digits that are too many', `${HEX}0`],
  ['a runtime that writes no such prefix', `containerd://${DIGEST}`],
  ['a prefix alone', 'docker-pullable://'],
  ['a pullable ID without a name', `docker-pullable://${DIGEST}`],
  ['a local ID with a name', `docker://${NAME}@${DIGEST}`],
  ['two prefixes', `docker-pullable://docker-pullable://${NAME}@${DIGEST}`],
  ['a digest without a name', `@${DIGEST}`],
  ['spaces around it', ` ${DIGEST} `],
  ['a line after it', `${DIGEST}\n`],
  ['markup in the name', `<b>/x@${DIGEST}`],
  ['a text that is too long', `${'a/'.repeat(2_000)}b@${DIGEST}`],
])('does not know %s', (_, text) => {
  expect(parseImageId(text)).toBeUndefined();
});

it.each([
  ['containerd, from a registry', `${NAME}@${DIGEST}`, 'manifest'],
  ['containerd, a loaded image', DIGEST, 'any'],
  ['CRI-O, from a registry', `quay.io:443/istio/proxyv2@${DIGEST}`, 'manifest'],
  ['CRI-O, an image without a repository digest', HEX, 'stored'],
  ['Docker, from a registry', `docker-pullable://istio/proxyv2@${DIGEST}`, 'manifest'],
  ['Docker, a loaded or built image', `docker://${DIGEST}`, 'any'],
])('reads the form of %s', (_, text, kind) => {
  expect(parseImageId(text)).toEqual({ kind, digest: DIGEST });
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3_000 }),
  fc
    .tuple(
      fc.constantFrom('', 'docker://', 'docker-pullable://', 'cri-o://', NAME, '@', ':'),
      fc.constantFrom('', '@', NAME, `${NAME}@`, '@@', '\u0000', '\u202e'),
      fc.oneof(fc.constant(DIGEST), fc.constant(HEX), fc.string({ unit: 'binary', maxLength: 80 })),
      fc.constantFrom('', '@', ' ', DIGEST, '"'),
    )
    .map((parts) => parts.join('')),
);

it('never throws, and returns no digest that is not written at the end of the text', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const parsed = parseImageId(text);
      if (parsed === undefined) return;
      expect(parsed.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(text.endsWith(parsed.digest.slice('sha256:'.length))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
