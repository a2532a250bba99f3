import type { Core } from '../../compose.ts';
import type { Config } from '../../config/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import type { Command, Flags, Io } from '../command-line/command.ts';
import { coreFlags, parseTimeout, readConfig, timeoutFlag } from '../flags/core-flags.ts';
import { filenameFlag, readImageNames } from '../flags/image-names.ts';
import { exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { type ImageToVerify, readLocalImage } from './local-image.ts';
import { printReports } from './print.ts';
import { exitCodeOfReport, type ImageReport, reportOf } from './report.ts';

const OUTPUTS = ['text', 'json', 'cosign'] as const;

/** Images that are verified side by side. */
const AT_ONCE = 8;

/** Verifies images side by side, by what one configuration leads to. */
const verifyAll = (
  core: Core,
  images: readonly ImageToVerify[],
  options: { readonly timeout: number; readonly offline: boolean; readonly advance: () => void },
): Promise<readonly ImageReport[]> =>
  mapConcurrently(images, AT_ONCE, async ({ image, name: named }) => {
    const began = performance.now();
    const judgement = await core.judge.judge(image, AbortSignal.timeout(options.timeout), { always: true });
    options.advance();
    return {
      ...reportOf(judgement, { ring: core.ring(), offline: options.offline }, performance.now() - began),
      reference: named,
    };
  });

/** Images and the configuration that leads to them. A directory leads to its own image alone: each must prove itself. */
interface Group {
  readonly config: Config;
  readonly images: readonly ImageToVerify[];
}

type Groups = readonly [Group, ...Group[]];

const groupsOf = async (flags: Flags, names: readonly [string, ...string[]], io: Io): Promise<Groups> => {
  if (!flags.has('local-image')) {
    const config = await readConfig(flags, io, { images: () => names });
    return [{ config, images: names.map((name) => ({ name, image: name })) }];
  }
  const groupOf = async (directory: string): Promise<Group> => {
    const config = await readConfig(flags, io, { directories: [directory] });
    return { config, images: [await readLocalImage(directory, config.limits)] };
  };
  const [first, ...others] = names;
  return [await groupOf(first), ...(await Promise.all(others.map(groupOf)))];
};

/** What verifying a group needs besides it. `heard`: what must be said of the keys has been. */
interface Asking {
  readonly flags: Flags;
  readonly io: Io;
  readonly heard: boolean;
  readonly advance: () => void;
}

/** The reports of a group, and the keys they were made with. */
const verifyGroup = ({ config, images }: Group, { flags, io, heard, advance }: Asking) =>
  withCore(config, io, async (core) => {
    if (!heard) checkKeys(core.ring(), config, flags, io);
    const options = { timeout: parseTimeout(flags), offline: config.offline, advance };
    return { ring: core.ring(), reports: await verifyAll(core, images, options) };
  });

const verifyGroups = async ([first, ...others]: Groups, asking: Omit<Asking, 'heard'>) => {
  const { ring, reports } = await verifyGroup(first, { ...asking, heard: false });
  const all = [...reports];
  for (const group of others) all.push(...(await verifyGroup(group, { ...asking, heard: true })).reports);
  return { ring, reports: all };
};

const verify = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  const names = await readImageNames(flags, operands, io, 'verify');
  const groups = await groupsOf(flags, names, io);
  const { increment: advance, clear } = createProgress(io, flags, names.length);
  const { ring, reports } = await verifyGroups(groups, { flags, io, advance }).finally(clear);
  const cosign = {
    ...groups[0].config,
    caFile: flags.text('ca-file'),
    registryConfig: flags.text('registry-config'),
  };
  printReports(reports, output, { ring, local: flags.has('local-image'), cosign }, io);
  return worstExitCode(reports.map(exitCodeOfReport));
};

export const command: Command = {
  usage: 'verify [flags] IMAGE…',
  description:
    "Verifies the signatures of images, as `cosign verify --key KEY --insecure-ignore-tlog IMAGE` does (with --transparency-log require as plain `cosign verify --key KEY IMAGE`), and more strictly where cosign is lax. Bundles of cosign 3 and signatures of older ones count alike. An image of Istio's must also be the component that was signed.\nAn image named here is always verified: that it only looks like Istio's, or is of a kind that is never signed, is said and left to `review` and the webhook to refuse.",
  flags: [
    ...coreFlags,
    timeoutFlag('image'),
    filenameFlag,
    {
      name: 'local-image',
      help: 'the arguments are directories, each an OCI image layout with one image, as of `cosign save`',
    },
    {
      name: 'output',
      short: 'o',
      value: OUTPUTS.join('|'),
      help: 'text for people (default), json, or the JSON that `cosign verify` prints',
    },
    progressFlag,
  ],
  examples: [
    'sailmark verify docker.io/istio/pilot:1.28.0',
    'sailmark verify --key https://istio.io/misc/istio-key.pub docker.io/istio/proxyv2:1.28.0',
    'sailmark verify --key corp.pub --ca-file corp-ca.pem -o json registry.corp.example/istio/proxyv2:1.28.0',
    'kubectl get pods -A -o jsonpath="{..image}" | tr " " "\\n" | sort -u | sailmark verify -f -',
  ],
  exitCodes,
  maxOperands: Number.POSITIVE_INFINITY,
  run: verify,
};
