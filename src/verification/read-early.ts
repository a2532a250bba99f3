import type { Digest } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import type { VerificationContext } from './context.ts';
import { findStart } from './find-start.ts';
import type { EarlyStart } from './memory/found-start.ts';

/** True if the start of an image may be needed, for its component or to be stored beside its signatures. */
const mayNeedStart = ({ dependencies, memory, request }: VerificationContext, digest: Digest): boolean =>
  dependencies.componentProof === 'configuration' &&
  (request.component !== undefined ||
    (dependencies.storeProofs !== undefined && request.places.length > 0)) &&
  memory.starts.find(digest) === undefined;

/**
 * Reads the start of an image as soon as a bundle is likely, so that it is there when the bundle is: at once if the tag
 * is that of a release with bundles, or else when the source lists what is likely a bundle. An image without costs no
 * request more.
 */
export const readEarly = (
  context: VerificationContext,
  source: Source,
  digest: Digest,
  signal: AbortSignal,
): { readonly source: Source; readonly early: () => EarlyStart | undefined } => {
  let early: EarlyStart | undefined;
  if (!mayNeedStart(context, digest)) return { source, early: () => undefined };
  const begin = (): void => {
    const repository = context.request.reference.repository.name;
    early ??= { repository, found: findStart(context, digest, signal) };
  };
  if (context.request.isLikelyBundled) begin();
  const referrers: Source['referrers'] = async (of, ofFlight, isLikely) => {
    const listed = await source.referrers(of, ofFlight, isLikely);
    // A type that is wrong costs time, nothing else: the start is then read when it is needed.
    if (
      listed.descriptors.some(
        ({ artifactType }) => isLikely?.(artifactType) !== false || artifactType === undefined,
      )
    )
      begin();
    return listed;
  };
  return { source: { ...source, referrers }, early: () => early };
};
