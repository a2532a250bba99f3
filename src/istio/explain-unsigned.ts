import {
  developmentTag,
  releaseTag,
  type SigningEra,
  signingEras,
  unsignedReleases,
} from './signing-eras.ts';

/**
 * Why an image of a hub that holds releases has no signature, as far as its tag tells; undefined: it should have one,
 * or the tag says nothing. `pinned`: a digest stands beside the tag, so it may be one platform's. An explanation of a
 * signature that is missing, never a verdict: anybody may write any tag beside a digest.
 */
export function explainUnsignedTag(tag: string, pinned: boolean): string | undefined {
  const { release, major, minor } = releaseTag.exec(tag)?.groups ?? {};
  if (release === undefined)
    return developmentTag.test(tag)
      ? 'its tag is that of a development build, and those are not signed'
      : undefined;
  const lapse = unsignedReleases.get(release);
  if (lapse !== undefined) return lapse;
  const era = eraOf(Number(major), Number(minor));
  return era?.signed === 'nothing' || pinned ? era?.why : undefined;
}

/**
 * Why an image of a hub that holds releases may have no signature where its digest is all that is written: it may be one
 * platform's image of a release that signed its index alone.
 */
export const explainUnsignedDigest = (): string | undefined =>
  signingEras.find(({ signed }) => signed === 'index')?.why;

const eraOf = (major: number, minor: number): SigningEra | undefined =>
  signingEras.findLast(({ from }) => major > from[0] || (major === from[0] && minor >= from[1]));
