import { oneLine } from '../../base/index.ts';
import type { Core } from '../../compose.ts';
import type { Config } from '../../config/index.ts';
import type { KeyRing } from '../../verification/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import type { Command, Flags, Io } from '../command-line/command.ts';
import { coreFlags, readConfig } from '../flags/core-flags.ts';
import { filenameFlag, readImageNames } from '../flags/image-names.ts';
import { parseTimeout, timeoutFlag } from '../flags/timeout-flag.ts';
import { exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { createInOrder } from '../shared/in-order.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { isTerminal } from '../shared/terminal.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { type ImageToVerify, readLocalImage } from './local-image.ts';
import { createPrinter } from './print.ts';
import { exitCodeOfReport, type ImageReport, reportOf } from './report.ts';

const OUTPUTS = ['text', 'json', 'cosign'] as const;

const MAX_CONCURRENT_IMAGES = 8;

/** Images, and the configuration to verify them with. A directory is the only evidence for its own image. */
interface ImageGroup {
  readonly config: Config;
  readonly images: readonly ImageToVerify[];
}

type ImageGroups = readonly [ImageGroup, ...ImageGroup[]];

interface VerifyContext {
  readonly flags: Flags;
  readonly io: Io;
  /** Called after each image, in any order. */
  readonly onDone: () => void;
  /** Prints the reports of a group in the order of its images. */
  readonly print: (report: ImageReport, ring: KeyRing) => void;
}

/**
 * The repository that cosign would read the signatures of every image from (cosign, pkg/oci/remote, `RepoOverrideEnvKey`).
 * Notes it: a variable that is set for signing one's own images hides the signatures of all others.
 */
const readCosignRepository = (flags: Flags, { env, stderr }: Io): string | undefined => {
  const repository = env['COSIGN_REPOSITORY'];
  if (repository === undefined || repository === '' || flags.has('offline')) return undefined;
  stderr.write(
    `Note: signatures are read from ${oneLine(repository, 200)} alone, as COSIGN_REPOSITORY says\n`,
  );
  return repository;
};

/** Groups the images by configuration: all references together, and each image layout by itself. */
const readGroups = async (
  flags: Flags,
  names: readonly [string, ...string[]],
  io: Io,
): Promise<ImageGroups> => {
  if (!flags.has('local-image')) {
    const signatureRepository = readCosignRepository(flags, io);
    const images = () => (signatureRepository === undefined ? names : [...names, signatureRepository]);
    const config = await readConfig(flags, io, { images, signatureRepository });
    return [{ config, images: names.map((name) => ({ name, image: name })) }];
  }
  const readLayoutGroup = async (directory: string): Promise<ImageGroup> => {
    const config = await readConfig(flags, io, { directories: [directory] });
    return { config, images: [await readLocalImage(directory, config.limits)] };
  };
  const [first, ...others] = names;
  return [await readLayoutGroup(first), ...(await Promise.all(others.map(readLayoutGroup)))];
};

const verifyImages = (
  core: Core,
  { config, images }: ImageGroup,
  { flags, onDone, print }: VerifyContext,
): Promise<readonly number[]> => {
  const timeout = parseTimeout(flags);
  const printNext = createInOrder((report: ImageReport) => print(report, core.ring()));
  return mapConcurrently(images, MAX_CONCURRENT_IMAGES, async ({ image, name }, index) => {
    const start = performance.now();
    const judgement = await core.judge.judge(image, AbortSignal.timeout(timeout), { always: true });
    onDone();
    const context = { ring: core.ring(), offline: config.offline };
    const report = { ...reportOf(judgement, context, performance.now() - start), reference: name };
    printNext(index, report);
    return exitCodeOfReport(report);
  });
};

/** Verifies the groups in turn, and returns the exit codes. All have the same keys, so only the first group warns about them. */
const verifyGroups = async (
  [first, ...others]: ImageGroups,
  context: VerifyContext,
): Promise<readonly number[]> => {
  const { flags, io } = context;
  const codes = await withCore(first.config, io, async (core) => {
    checkKeys(core.ring(), first.config, flags, io);
    return verifyImages(core, first, context);
  });
  const all = [...codes];
  for (const group of others)
    all.push(...(await withCore(group.config, io, (core) => verifyImages(core, group, context))));
  return all;
};

const verify = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  const names = await readImageNames(flags, operands, io, 'verify');
  const groups = await readGroups(flags, names, io);
  const { increment, clear } = createProgress(io, flags, names.length);
  const cosign = {
    ...groups[0].config,
    caFile: groups[0].config.registryDefaults.caFile,
    registryConfig: flags.text('registry-config'),
  };
  const printer = createPrinter(output, { local: flags.has('local-image'), cosign }, io);
  const print = (report: ImageReport, ring: KeyRing): void => {
    // On a terminal both streams share the line.
    if (isTerminal(io.stdout, io.env)) clear();
    printer.print(report, ring);
  };
  const codes = await verifyGroups(groups, { flags, io, onDone: increment, print }).finally(clear);
  printer.end();
  return worstExitCode(codes);
};

export const command: Command = {
  usage: 'verify [flags] IMAGE…',
  description:
    'Verifies the signatures of images, as `cosign verify --key KEY --insecure-ignore-tlog IMAGE` does (with --transparency-log require, as `cosign verify --key KEY IMAGE` does), but more strictly where cosign is lax. Accepts bundles of cosign 3 and signatures of older versions. An Istio image must also be the component that was signed. COSIGN_REPOSITORY names another repository that holds the signatures, as for cosign.\nEvery image given is verified: if it only looks like an Istio image, or is of a release that was never signed, the report says so, but only `review` and the webhook refuse it.',
  flags: [
    ...coreFlags,
    timeoutFlag('image'),
    filenameFlag,
    {
      name: 'local-image',
      help: 'the arguments are directories, each an OCI image layout with one image, as `cosign save` writes it',
    },
    {
      name: 'output',
      short: 'o',
      value: OUTPUTS.join('|'),
      help: 'human-readable text (default), json, or the JSON that `cosign verify` prints',
    },
    progressFlag,
  ],
  examples: [
    'sailmark verify docker.io/istio/pilot:1.28.0',
    'sailmark verify --key https://istio.io/misc/istio-key.pub docker.io/istio/proxyv2:1.28.0',
    'sailmark verify --key corp.pub --ca-file corp-ca.pem -o json registry.corp.example/istio/proxyv2:1.28.0',
    'sailmark verify -f images.txt',
  ],
  exitCodes,
  maxOperands: Number.POSITIVE_INFINITY,
  run: verify,
};
