import { messageOf } from '../../base/index.ts';
import type { Core } from '../../compose.ts';
import type { Digest, ImageReference, Repository } from '../../image/index.ts';
import type { Judgement } from '../../policy/index.ts';
import {
  childrenOf,
  createSourceCaller,
  imageEntry,
  type Layout,
  type Manifest,
  type Source,
} from '../../registry/index.ts';
import { CommandError } from '../command-line/command.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { exitCodeOfReport, reportOf } from '../verify/report.ts';

export const MAX_CONCURRENT_IMAGES = 4;

/** The result of pulling one image. */
export interface PullResult {
  readonly image: string;
  readonly message: string;
  readonly exitCode: number;
  /** The stored images by digest, as references: the directory must now verify them offline. */
  readonly stored: readonly string[];
}

export interface PullContext {
  readonly core: Core;
  /** The evidence that the directory already holds. */
  readonly layout: Layout;
  /** Milliseconds for each image. */
  readonly timeout: number;
}

/** The sources of an image's manifests: the evidence directory, then the repository. */
type Sources = readonly [evidence: Source, repository: Source];

/** The digest of a verified image; undefined for any other judgement. */
export const verifiedDigest = ({ refused, verification }: Judgement): Digest | undefined =>
  refused === undefined && verification?.outcome === 'verified' ? verification.digest : undefined;

/** Reads an image's manifest from the evidence directory, or from the repository if it is not stored yet. */
const readManifest = async (
  [evidence, repository]: Sources,
  digest: Digest,
  signal: AbortSignal,
): Promise<Manifest> => {
  const manifest =
    (await evidence.manifest({ digest }, signal).catch(() => undefined)) ??
    (await repository.manifest({ digest }, signal));
  if (manifest === undefined)
    throw new CommandError(`${repository.id} has signatures for ${digest} but not the image manifest`);
  return manifest;
};

/** Stores the signed images that an index lists: a node may name an image by its platform's digest. */
const pullChildren = async (
  { core }: PullContext,
  repository: Repository,
  { sources, children }: { readonly sources: Sources; readonly children: readonly Digest[] },
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const images = children.map((digest) => `${repository.name}@${digest}`);
  const judgements = await mapConcurrently(images, MAX_CONCURRENT_IMAGES, (image) =>
    core.judge.judge(image, signal, { always: true }),
  );
  const signed = judgements.flatMap((judgement) => verifiedDigest(judgement) ?? []);
  for (const digest of signed)
    await core.storeEvidence([imageEntry(await readManifest(sources, digest, signal), 'image', undefined)]);
  return signed.map((digest) => `${repository.name}@${digest}`);
};

/** The name under which an image is stored: as requested, or by digest if the reference has one. */
const storedName = ({ repository, tag, digest }: ImageReference, verified: Digest): string =>
  digest === undefined && tag !== undefined ? `${repository.name}:${tag}` : `${repository.name}@${verified}`;

/** Stores the manifest of a verified image, and those of its signed children. */
const storeVerified = async (
  context: PullContext,
  reference: ImageReference,
  digest: Digest,
  signal: AbortSignal,
): Promise<Pick<PullResult, 'message' | 'stored'>> => {
  const { repository } = reference;
  const { core, layout } = context;
  const sources = [
    layout.open(repository.name),
    core.openRepository(repository, createSourceCaller()),
  ] as const;
  const manifest = await readManifest(sources, digest, signal);
  const children = childrenOf(manifest.bytes);
  const kind = children === undefined ? 'image' : 'index';
  // cosign reads the first image of a layout, so the index precedes the images it lists.
  await core.storeEvidence([imageEntry(manifest, kind, storedName(reference, digest))]);
  const signed =
    children === undefined ? [] : await pullChildren(context, repository, { sources, children }, signal);
  const platforms =
    children === undefined ? '' : `; ${signed.length} of the ${children.length} images it lists are signed`;
  return {
    message: `stored ${digest} (${kind}${platforms})`,
    stored: [`${repository.name}@${digest}`, ...signed],
  };
};

/** Verifies an image and stores its evidence. Does not reject if the image is not verified or cannot be stored. */
export const pullImage = async (context: PullContext, image: string): Promise<PullResult> => {
  const { core, timeout } = context;
  const signal = AbortSignal.timeout(timeout);
  const judgement = await core.judge.judge(image, signal, { always: true });
  const digest = verifiedDigest(judgement);
  if (digest === undefined || judgement.reference === undefined) {
    const report = reportOf(judgement, { ring: core.ring(), offline: false }, 0);
    return {
      image,
      message: `not stored: ${report.message}`,
      exitCode: exitCodeOfReport(report),
      stored: [],
    };
  }
  try {
    return { image, exitCode: 0, ...(await storeVerified(context, judgement.reference, digest, signal)) };
  } catch (error) {
    return { image, message: `not stored completely: ${messageOf(error)}`, exitCode: 20, stored: [] };
  }
};
