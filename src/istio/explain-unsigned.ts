import {
  developmentTag,
  firstBundles,
  releaseTag,
  type SigningEra,
  signingEras,
  unsignedReleases,
} from './signing-eras.ts';

/**
 * Explains from its tag why an image of a release hub has no signature; undefined if it should have one, or the tag does
 * not tell. `pinned`: the reference has a digest too, which may be that of one platform. This explains a missing
 * signature and is never a verdict: anyone can write any tag beside a digest.
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
 * Explains why an image of a release hub may have no signature if the reference has only a digest: it may be one
 * platform's image of a release that signed only its index.
 */
export const explainUnsignedDigest = (): string | undefined =>
  signingEras.find(({ signed }) => signed === 'index')?.why;

/**
 * True if a tag is that of a release that is signed by bundles. This decides what is read first and is never a verdict:
 * anyone can write any tag.
 */
export const isBundleTag = (tag: string | undefined): boolean => {
  const { major, minor } = releaseTag.exec(tag ?? '')?.groups ?? {};
  return major !== undefined && isSince([Number(major), Number(minor)], firstBundles);
};

const isSince = (release: SigningEra['from'], [major, minor]: SigningEra['from']): boolean =>
  release[0] > major || (release[0] === major && release[1] >= minor);

const eraOf = (major: number, minor: number): SigningEra | undefined =>
  signingEras.findLast(({ from }) => isSince([major, minor], from));
