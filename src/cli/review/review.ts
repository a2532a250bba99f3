import { MalformedReview } from '../../admission/index.ts';
import type { Core } from '../../compose.ts';
import type { Mode } from '../../policy/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, CommandError, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { coreFlags, parseTimeout, readConfig, timeoutFlag } from '../flags/core-flags.ts';
import { exitCodeOf, exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { inputName, readInput } from '../shared/input.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { imagesNamedIn, type Manifests, parseManifests, type Reviewable } from './manifests.ts';
import { printReviews, type ReviewedObject } from './print.ts';

const MODES = ['enforce', 'warn', 'audit'] as const satisfies readonly Mode[];
const OUTPUTS = ['text', 'json'] as const;

/** Objects that are reviewed side by side. */
const AT_ONCE = 8;

interface Asked {
  readonly mode: Mode;
  /** Milliseconds for each object. */
  readonly timeout: number;
  readonly advance: () => void;
}

const reviewOne = async (
  core: Core,
  { review, place }: Reviewable,
  asked: Asked,
): Promise<ReviewedObject> => {
  try {
    const context = { mode: asked.mode, critical: false };
    const { response: answer, record } = await core.reviewer.review(
      review,
      context,
      AbortSignal.timeout(asked.timeout),
    );
    asked.advance();
    return { place, response: answer.response, record };
  } catch (error) {
    if (!(error instanceof MalformedReview)) throw error;
    throw new CommandError(`${place}: ${error.message}`);
  }
};

/** What was let through by an exemption is no finding to fail for. */
const codesOf = ({ record }: ReviewedObject): readonly number[] =>
  record.findings.filter(({ effect }) => effect !== 'exempt').map(({ code }) => exitCodeOf(code));

const readManifests = async (flags: Flags, io: Io): Promise<Manifests> => {
  const file = flags.text('filename');
  if (file === undefined)
    throw new UsageError('no manifest is named: sailmark review -f FILE, or -f - for standard input');
  return parseManifests(await readInput(file, io), inputName(file), flags.text('namespace') ?? 'default');
};

const review = async (flags: Flags, io: Io): Promise<number> => {
  const [mode, output] = [parseChoice(flags, 'mode', MODES), parseChoice(flags, 'output', OUTPUTS)];
  const timeout = parseTimeout(flags);
  const { objects, skipped } = await readManifests(flags, io);
  const config = await readConfig(flags, io, { images: () => objects.flatMap(imagesNamedIn) });
  if (objects.length === 0) {
    io.stderr.write('Note: nothing to review: no object in it holds a pod\n');
    printReviews([], skipped, output, io);
    return 0;
  }
  return withCore(config, io, async (core) => {
    checkKeys(core.ring(), config, flags, io);
    const { increment: advance, clear } = createProgress(io, flags, objects.length);
    const reviewed = await mapConcurrently(objects, AT_ONCE, (object) =>
      reviewOne(core, object, { mode, timeout, advance }),
    ).finally(clear);
    printReviews(reviewed, skipped, output, io);
    return flags.has('exit-zero') ? 0 : worstExitCode(reviewed.flatMap(codesOf));
  });
};

export const command: Command = {
  usage: 'review [flags] -f FILE|-',
  description:
    'Says what the webhook would answer: to manifests of any kind that holds a pod (lists and several documents too), as if each were created now, or to captured AdmissionReviews. A Deployment and its like get warnings, since the Pod is where the gate stands; the exit code is that of the worst finding all the same. Objects that hold no pod are counted; where there is nothing else, that is said and the exit code is 0.',
  flags: [
    { name: 'filename', short: 'f', value: 'FILE|-', help: 'manifests in YAML or JSON, or AdmissionReviews' },
    { name: 'mode', value: MODES.join('|'), help: 'what a refusal does (default enforce)' },
    {
      name: 'namespace',
      short: 'n',
      value: 'NAME',
      help: 'for manifests that name none (default "default")',
    },
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'text for people (default), or json' },
    { name: 'exit-zero', help: 'exit with 0 whatever is found' },
    ...coreFlags,
    timeoutFlag('object'),
    progressFlag,
  ],
  examples: [
    'sailmark review -f deployment.yaml',
    'istioctl manifest generate | sailmark review --config sailmark.yaml -f -',
    'kubectl get pods -A -o json | sailmark review --mode audit -f -',
  ],
  exitCodes,
  maxOperands: 0,
  run: (flags, _operands, io) => review(flags, io),
};
