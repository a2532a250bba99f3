import { messageOf } from '../../base/index.ts';
import type { Config } from '../../config/index.ts';
import { checkIsLayout, openLayout } from '../../registry/index.ts';
import { type Command, CommandError, type Flags, type Io } from '../command-line/command.ts';
import { coreFlags, readConfig } from '../flags/core-flags.ts';
import { filenameFlag, readImageNames } from '../flags/image-names.ts';
import { parseTimeout, timeoutFlag } from '../flags/timeout-flag.ts';
import { exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { createInOrder } from '../shared/in-order.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { isTerminal } from '../shared/terminal.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { MAX_CONCURRENT_IMAGES, type PullResult, pullImage, verifiedDigest } from './pull-image.ts';

const readDirectoryFlag = async (flags: Flags): Promise<string> => {
  const directory = flags.text('output');
  if (directory === undefined)
    throw new CommandError('--output is missing: name the directory to store evidence in, -o DIR');
  await checkIsLayout(directory).catch((error: unknown) => {
    throw new CommandError(messageOf(error));
  });
  return directory;
};

/** The configuration with `directory` as the place for new evidence. */
const withOutput = (config: Config, directory: string): Config => {
  const read = config.evidence.read.filter((path) => path !== directory);
  return { ...config, evidence: { read, write: directory } };
};

const pullImages = (
  config: Config,
  images: readonly string[],
  directory: string,
  { flags, io }: { readonly flags: Flags; readonly io: Io },
): Promise<readonly PullResult[]> =>
  withCore(config, io, async (core) => {
    const print = ({ image, message }: PullResult): void => {
      if (isTerminal(io.stdout, io.env)) progress.clear();
      io.stdout.write(`${image}: ${message}\n`);
    };
    const printNext = createInOrder(print);
    checkKeys(core.ring(), config, flags, io);
    const context = { core, timeout: parseTimeout(flags), layout: openLayout(directory, config.limits) };
    const progress = createProgress(io, flags, images.length);
    return mapConcurrently(images, MAX_CONCURRENT_IMAGES, async (image, index) => {
      const result = await pullImage(context, image);
      progress.increment();
      printNext(index, result);
      return result;
    }).finally(progress.clear);
  });

/** The stored images that the directory alone does not verify: later runs have nothing else to verify them by. */
const findUnverifiable = (config: Config, io: Io, timeout: number, images: readonly string[]) =>
  withCore({ ...config, offline: true }, io, async (core) => {
    const judgements = await mapConcurrently(images, MAX_CONCURRENT_IMAGES, (image) =>
      core.judge.judge(image, AbortSignal.timeout(timeout), { always: true }),
    );
    return judgements
      .filter((judgement) => verifiedDigest(judgement) === undefined)
      .map(({ image }) => image);
  });

const pull = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  const directory = await readDirectoryFlag(flags);
  const timeout = parseTimeout(flags);
  const images = await readImageNames(flags, operands, io, 'evidence pull -o DIR');
  const config = withOutput(await readConfig(flags, io, { images: () => images }), directory);
  const results = await pullImages(config, images, directory, { flags, io });
  const stored = results.flatMap((result) => result.stored);
  const unverifiable = await findUnverifiable(config, io, timeout, stored);
  for (const image of unverifiable)
    io.stderr.write(`Error: the evidence in ${directory} does not verify ${image}\n`);
  const verified = stored.length - unverifiable.length;
  io.stdout.write(
    `${verified} ${verified === 1 ? 'digest' : 'digests'} verified offline from ${directory}\n`,
  );
  return worstExitCode([...results.map(({ exitCode }) => exitCode), ...(unverifiable.length > 0 ? [1] : [])]);
};

export const command: Command = {
  usage: 'evidence pull [flags] -o DIR IMAGE…',
  description:
    'Verifies images and stores their evidence in DIR, an OCI image layout without layers: manifests, signatures and bundles. Without access to a registry, `verify --offline --evidence DIR` and `serve` (evidence: {read: [DIR]}) verify the images from it, each time anew.\nFor an index, the signed images that it lists are stored too. Images that do not verify are not stored. Several runs may share a directory: evidence that is already there is not fetched again.',
  flags: [
    {
      name: 'output',
      short: 'o',
      value: 'DIR',
      help: 'the directory to store evidence in; created if it does not exist',
    },
    ...coreFlags,
    timeoutFlag('image'),
    filenameFlag,
    progressFlag,
  ],
  examples: [
    'sailmark evidence pull -o evidence docker.io/istio/pilot:1.28.0 docker.io/istio/proxyv2:1.28.0',
    'sailmark evidence pull -o evidence -f images.txt',
  ],
  exitCodes,
  maxOperands: Number.POSITIVE_INFINITY,
  run: pull,
};
