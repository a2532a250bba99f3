import type { Mode } from '../../policy/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { coreFlags, readConfig } from '../flags/core-flags.ts';
import { parseTimeout, timeoutFlag } from '../flags/timeout-flag.ts';
import { exitCodeOf, exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { inputName, readInput } from '../shared/input.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { findImageNames, type Manifests, parseManifests } from './manifests.ts';
import { printReviews } from './print.ts';
import { type ReviewedObject, reviewObject } from './review-object.ts';

const MODES = ['enforce', 'warn', 'audit'] as const satisfies readonly Mode[];
const OUTPUTS = ['text', 'json'] as const;

const MAX_CONCURRENT_REVIEWS = 8;

/** The exit codes of an object's findings. A finding that an exemption lifts does not fail the command. */
const exitCodesOf = ({ record }: ReviewedObject): readonly number[] =>
  record.findings.filter(({ effect }) => effect !== 'exempt').map(({ code }) => exitCodeOf(code));

const readManifests = async (flags: Flags, io: Io): Promise<Manifests> => {
  const file = flags.text('filename');
  if (file === undefined)
    throw new UsageError('no manifest given: sailmark review -f FILE, or -f - for standard input');
  return parseManifests(await readInput(file, io), inputName(file), flags.text('namespace') ?? 'default');
};

const review = async (flags: Flags, io: Io): Promise<number> => {
  const [mode, output] = [parseChoice(flags, 'mode', MODES), parseChoice(flags, 'output', OUTPUTS)];
  const timeout = parseTimeout(flags);
  const { objects, skipped } = await readManifests(flags, io);
  const config = await readConfig(flags, io, { images: () => objects.flatMap(findImageNames) });
  if (objects.length === 0) {
    io.stderr.write('Note: nothing to review: no object has a pod or pod template\n');
    printReviews([], skipped, output, io);
    return 0;
  }
  return withCore(config, io, async (core) => {
    checkKeys(core.ring(), config, flags, io);
    const { increment, clear } = createProgress(io, flags, objects.length);
    const settings = { mode, timeout, rules: config.rules };
    const reviewed = await mapConcurrently(objects, MAX_CONCURRENT_REVIEWS, async (object) => {
      const result = await reviewObject(core, object, settings);
      increment();
      return result;
    }).finally(clear);
    printReviews(reviewed, skipped, output, io);
    return flags.has('exit-zero') ? 0 : worstExitCode(reviewed.flatMap(exitCodesOf));
  });
};

export const command: Command = {
  usage: 'review [flags] -f FILE|-',
  description:
    'Shows how the webhook would respond to manifests, as if each object were created now, or to captured AdmissionReviews. Manifests may be pods and workloads of any kind, in lists and in several documents. Workloads such as a Deployment get warnings, because the webhook refuses pods, not workloads; the exit code is that of the most serious finding either way. Where the configuration pins images, each object is judged as the mutating webhook would pin it, and that is said. Objects without a pod or pod template are counted; if there are no others, a note says so and the exit code is 0.',
  flags: [
    {
      name: 'filename',
      short: 'f',
      value: 'FILE|-',
      help: 'manifests in YAML or JSON, or captured AdmissionReviews',
    },
    { name: 'mode', value: MODES.join('|'), help: 'how the webhook acts on a refusal (default enforce)' },
    {
      name: 'namespace',
      short: 'n',
      value: 'NAME',
      help: 'the namespace of manifests without one (default "default")',
    },
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'human-readable text (default), or json' },
    { name: 'exit-zero', help: 'exit with 0 regardless of findings' },
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
