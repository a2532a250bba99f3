import { parseImageReference } from '../../image/index.ts';
import { lastingHub, retiringHubs } from '../../istio/index.ts';
import type { ConfiguredImage, Notice, ScannedImage } from '../scan-result.ts';
import { dayOf, listReferences, sumPods } from './versions.ts';

const repositoryOf = (text: string): string => {
  const parsed = parseImageReference(text);
  return parsed.ok ? parsed.reference.repository.name : '';
};

/** Finds the images that run from a hub which Istio gives up, or are configured to. */
export const hubNotices = (
  images: readonly ScannedImage[],
  preflight: readonly ConfiguredImage[],
  now: number,
): readonly Notice[] => {
  const all = [...images, ...preflight.map(({ reference }) => ({ reference, pods: 0 }))];
  return retiringHubs.flatMap(({ hub, from, when }) => {
    const uses = all.filter(({ reference }) => repositoryOf(reference).startsWith(`${hub}/`));
    if (uses.length === 0) return [];
    const gone = dayOf(now) < from ? 'is given up' : 'is given up, or gone already:';
    return [
      {
        kind: 'hub-disappears',
        severity: 'warning',
        message: `${hub} ${gone} ${when}: use ${lastingHub}, where the same digests are, or a mirror of it`,
        subject: hub,
        date: from,
        pods: sumPods(uses),
        images: listReferences(uses),
      },
    ];
  });
};
