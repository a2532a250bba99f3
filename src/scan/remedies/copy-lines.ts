import type { Mirror } from '../../istio/index.ts';
import { shellCommand } from '../shell.ts';
import { hubNameOf } from './remedy-key.ts';
import type { GroupedImage } from './remedy-tally.ts';

/** Commands that copy signatures, and the images at the hub whose evidence can be pulled instead. */
export interface CopyLines {
  readonly lines: readonly (string | undefined)[];
  readonly pulls: readonly string[];
}

interface Copy {
  readonly from: string;
  readonly to: string;
  readonly isBundled: boolean;
}

/** The copy of an image: from the hub by digest if that is known, so that nothing else is copied than what the mirror has. */
const copyOf = ({ judgement }: GroupedImage, mirror: Mirror): Copy | undefined => {
  const { reference, verification, class: imageClass } = judgement ?? {};
  if (reference === undefined || imageClass?.kind !== 'istio') return undefined;
  const { repository, tag } = reference;
  const digest = reference.digest ?? verification?.digest;
  const version = digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`;
  return {
    from: `${mirror.of}/${hubNameOf(reference, mirror)}${version}`,
    to: `${repository.name}${tag === undefined ? '' : `:${tag}`}`,
    isBundled: imageClass.isLikelyBundled,
  };
};

/** Bundles refer to their image, and older signatures have tags: each kind takes a tool that copies it. */
const commandOf = ({ from, to, isBundled }: Copy): string | undefined =>
  isBundled
    ? shellCommand(['oras', 'cp', '-r'], from, to)
    : shellCommand(['cosign', 'copy', '--only=sig'], from, to);

export const copyLines = (images: readonly GroupedImage[], mirror: Mirror): CopyLines => {
  const copies = images.flatMap((image) => copyOf(image, mirror) ?? []);
  return { lines: copies.map(commandOf), pulls: copies.map(({ from }) => from) };
};
