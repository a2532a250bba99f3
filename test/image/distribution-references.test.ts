import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/index.ts';
import { acceptedReferences, refusedReferences } from '../support/distribution-references.ts';
import { normalFormOf } from './normal-form.ts';

/** The whole normal form, with the host in lower case; a digest drops the tag, as distribution's does. */
const read = (text: string): string | undefined => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) return undefined;
  const { reference } = parsed;
  return normalFormOf(reference.digest === undefined ? reference : { ...reference, tag: undefined });
};

/** Signatures cover sha256 alone, so a reference by another digest is refused here, and by the classifier. */
const byOtherDigest = (text: string): boolean => /@sha(?:384|512):/.test(text);

const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 60)}…` : text);

describe('a host that distribution/reference', () => {
  it.each(
    acceptedReferences
      .filter(([text]) => !byOtherDigest(text))
      .map(([text, normal]) => [short(text), text, normal] as const),
  )('accepts is one here: %s', (_, text, normal) => {
    expect(read(text)).toBe(normal.replace(/^LOCALHOST/, 'localhost'));
  });

  it('refuses is none here, except for capitals, for a host is read in lower case', () => {
    expect(refusedReferences.filter((text) => parseImageReference(text).ok)).toEqual([
      'My_registry.corp.example/istio/pilot:1.28.0',
      'my_registry.Corp.example/istio/pilot:1.28.0',
      'MY_REGISTRY.CORP.EXAMPLE/istio/pilot:1.28.0',
    ]);
  });
});
