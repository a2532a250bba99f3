import { oneLine, quoted } from '../../base/index.ts';
import type { UnjudgedObject } from './plan.ts';

/** The parts of an object that were not judged, in one sentence each. */
export interface UnjudgedImage {
  /** Empty if something else chooses the image. */
  readonly image: string;
  readonly path: string;
  readonly message: string;
}

/** Returns what of an object was not judged. */
export const unjudgedImages = ({ images, unknown }: UnjudgedObject): readonly UnjudgedImage[] => [
  ...images.map(({ image, path }) => ({
    image,
    path,
    message: `not judged: ${quoted(image, 160)} (${oneLine(path, 100)}) could be an image of Istio`,
  })),
  ...unknown.map((sentence) => ({ image: '', path: '', message: `not judged: ${oneLine(sentence, 300)}` })),
];
