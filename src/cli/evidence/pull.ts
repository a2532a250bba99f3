import { messageOf } from '../../base/index.ts';
import type { Core } from '../../compose.ts';
import type { Config } from '../../config/index.ts';
import type { Digest, ImageReference, Repository } from '../../image/index.ts';
import type { Judgement } from '../../policy/index.ts';
import {
  checkIsLayout,
  childrenOf,
  imageEntry,
  type Layout,
  type Manifest,
  openLayout,
  type Source,
} from '../../registry/index.ts';
import { type Command, CommandError, type Flags, type Io } from '../command-line/command.ts';
import { coreFlags, parseTimeout, readConfig, timeoutFlag } from '../flags/core-flags.ts';
import { filenameFlag, readImageNames } from '../flags/image-names.ts';
import { exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { exitCodeOfReport, reportOf } from '../verify/report.ts';

/** Images that are pulled side by side. */
const AT_ONCE = 4;

/** What became of one image. */
interface Pulled {
  readonly image: string;
  readonly said: string;
  readonly exitCode: number;
  /** What the directory must now prove. */
  readonly proven: readonly string[];
}

interface Pull {
  readonly core: Core;
  /** What is kept already. */
  readonly layout: Layout;
  /** Milliseconds for each image. */
  readonly timeout: number;
}

const verifiedDigest = ({ refused, verification }: Judgement): Digest | undefined =>
  refused === undefined && verification?.outcome === 'verified' ? verification.digest : undefined;

/** An image's own manifest: what is kept already, else the repository's. */
const readManifest = async (
  [kept, repository]: readonly [Source, Source],
  digest: Digest,
  signal: AbortSignal,
): Promise<Manifest> => {
  const manifest =
    (await kept.manifest({ digest }, signal).catch(() => undefined)) ??
    (await repository.manifest({ digest }, signal));
  if (manifest === undefined)
    throw new CommandError(`${repository.id} has signatures of ${digest} and not the image itself`);
  return manifest;
};

/** Keeps what an index lists, as far as that is signed too: a node may name an image by its platform's digest. */
const pullChildren = async (
  { core }: Pull,
  repository: Repository,
  {
    sources,
    children,
  }: { readonly sources: readonly [Source, Source]; readonly children: readonly Digest[] },
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const images = children.map((digest) => `${repository.name}@${digest}`);
  const judged = await mapConcurrently(images, AT_ONCE, (image) =>
    core.judge.judge(image, signal, { always: true }),
  );
  const signed = judged.flatMap((judgement) => verifiedDigest(judgement) ?? []);
  for (const digest of signed)
    await core.storeEvidence([imageEntry(await readManifest(sources, digest, signal), 'image', undefined)]);
  return signed.map((digest) => `${repository.name}@${digest}`);
};

const nameOf = ({ repository, tag, digest }: ImageReference, known: Digest): string =>
  digest === undefined && tag !== undefined ? `${repository.name}:${tag}` : `${repository.name}@${known}`;

const pullVerified = async (
  pull: Pull,
  reference: ImageReference,
  digest: Digest,
  signal: AbortSignal,
): Promise<Pick<Pulled, 'said' | 'proven'>> => {
  const { repository } = reference;
  const sources = [
    pull.layout.open(repository.name),
    pull.core.openRepository(repository, () => {}),
  ] as const;
  const manifest = await readManifest(sources, digest, signal);
  const children = childrenOf(manifest.bytes);
  const kind = children === undefined ? 'image' : 'index';
  // cosign reads the first image of a layout, so the index stands before what it lists.
  await pull.core.storeEvidence([imageEntry(manifest, kind, nameOf(reference, digest))]);
  const signed =
    children === undefined ? [] : await pullChildren(pull, repository, { sources, children }, signal);
  const platforms =
    children === undefined
      ? ''
      : `; ${signed.length} of the ${children.length} images it lists are signed too`;
  return {
    said: `kept ${digest} (${kind}${platforms})`,
    proven: [`${repository.name}@${digest}`, ...signed],
  };
};

const pullOne = async (pull: Pull, image: string): Promise<Pulled> => {
  const signal = AbortSignal.timeout(pull.timeout);
  const judgement = await pull.core.judge.judge(image, signal, { always: true });
  const digest = verifiedDigest(judgement);
  if (digest === undefined || judgement.reference === undefined) {
    const report = reportOf(judgement, { ring: pull.core.ring(), offline: false }, 0);
    return { image, said: `not kept: ${report.message}`, exitCode: exitCodeOfReport(report), proven: [] };
  }
  try {
    return { image, exitCode: 0, ...(await pullVerified(pull, judgement.reference, digest, signal)) };
  } catch (error) {
    return { image, said: `not kept whole: ${(error as Error).message}`, exitCode: 20, proven: [] };
  }
};

/** What was kept is verified once more, from the directory alone: what comes of it is all that counts later. */
const findUnproven = (config: Config, io: Io, timeout: number, images: readonly string[]) =>
  withCore({ ...config, offline: true }, io, async (core) => {
    const judged = await mapConcurrently(images, AT_ONCE, (image) =>
      core.judge.judge(image, AbortSignal.timeout(timeout), { always: true }),
    );
    return judged.filter((judgement) => verifiedDigest(judgement) === undefined).map(({ image }) => image);
  });

const directoryOf = async (flags: Flags): Promise<string> => {
  const directory = flags.text('output');
  if (directory === undefined)
    throw new CommandError('--output is missing: the directory to keep evidence in, -o DIR');
  await checkIsLayout(directory).catch((error: unknown) => {
    throw new CommandError(messageOf(error));
  });
  return directory;
};

const pull = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  const directory = await directoryOf(flags);
  const timeout = parseTimeout(flags);
  const images = await readImageNames(flags, operands, io, 'evidence pull -o DIR');
  const given = await readConfig(flags, io, { images: () => images });
  const { read } = given.evidence;
  const config = { ...given, evidence: { read: read.filter((one) => one !== directory), write: directory } };
  const layout = openLayout(directory, config.limits);
  const pulled = await withCore(config, io, async (core) => {
    checkKeys(core.ring(), config, flags, io);
    const { increment: advance, clear } = createProgress(io, flags, images.length);
    return mapConcurrently(images, AT_ONCE, async (image) => {
      const one = await pullOne({ core, timeout, layout }, image);
      advance();
      return one;
    }).finally(clear);
  });
  for (const { image, said } of pulled) io.stdout.write(`${image}: ${said}\n`);
  const proven = pulled.flatMap((one) => one.proven);
  const unproven = await findUnproven(config, io, timeout, proven);
  for (const image of unproven) io.stderr.write(`Error: ${directory} does not prove ${image}\n`);
  io.stdout.write(`${directory} proves ${proven.length - unproven.length} digests; verified again from it\n`);
  return worstExitCode([...pulled.map(({ exitCode }) => exitCode), ...(unproven.length > 0 ? [1] : [])]);
};

export const command: Command = {
  usage: 'evidence pull [flags] -o DIR IMAGE…',
  description:
    'Verifies images and keeps what proves them in DIR, an OCI image layout without layers: manifests, signatures, bundles. Where no registry can be reached, `verify --offline --evidence DIR` and `serve` (evidence: {read: [DIR]}) verify them from it, each time anew.\nOf an index, what it lists is kept too, as far as it is signed. What is not verified is not kept. A directory can be filled in several runs: what it proves already is not fetched again.',
  flags: [
    {
      name: 'output',
      short: 'o',
      value: 'DIR',
      help: 'the directory to keep evidence in; made where it is not there',
    },
    ...coreFlags,
    timeoutFlag('image'),
    filenameFlag,
    progressFlag,
  ],
  examples: [
    'sailmark evidence pull -o evidence docker.io/istio/pilot:1.28.0 docker.io/istio/proxyv2:1.28.0',
    'istioctl manifest generate | grep -o "image: .*" | cut -d" " -f2 | sort -u | sailmark evidence pull -o evidence -f -',
  ],
  exitCodes,
  maxOperands: Number.POSITIVE_INFINITY,
  run: pull,
};
