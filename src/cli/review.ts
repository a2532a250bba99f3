import type { Core } from '../compose.ts';
import type { Mode } from '../policy/index.ts';
import { mapBounded } from './bounded.ts';
import { type Command, type Flags, type Io, UsageError } from './command.ts';
import { configOf, coreFlags, timeoutOf, withCore } from './core-flags.ts';
import { exitCodeOf, exitCodes, worstOf } from './exit-codes.ts';
import { InputError, readInput } from './input.ts';
import { imagesNamedIn, parseManifests, type Reviewable } from './manifests.ts';
import { printReviews, type Reviewed } from './review-print.ts';

const MODES: readonly Mode[] = ['enforce', 'warn', 'audit'];

/** Objects that are reviewed side by side. */
const AT_ONCE = 8;

const modeOf = (flags: Flags): Mode => {
  const text = flags.text('mode') ?? 'enforce';
  const mode = MODES.find((one) => one === text);
  if (mode === undefined)
    throw new UsageError(`--mode must be one of ${MODES.join(', ')}, and is ${JSON.stringify(text)}`);
  return mode;
};

const outputOf = (flags: Flags): 'text' | 'json' => {
  const output = flags.text('output') ?? 'text';
  if (output !== 'text' && output !== 'json')
    throw new UsageError(`--output must be text or json, and is ${JSON.stringify(output)}`);
  return output;
};

const reviewOne = async (core: Core, object: Reviewable, mode: Mode, timeout: number): Promise<Reviewed> => {
  try {
    const { answer, record } = await core.review(
      object.review,
      { mode, critical: false },
      AbortSignal.timeout(timeout),
    );
    return { object, response: answer.response, record };
  } catch (error) {
    // Only a malformed object rejects.
    throw new InputError(`${object.place}: ${(error as Error).message}`);
  }
};

/** What was let through by an exemption is no finding to fail for. */
const codesOf = ({ record }: Reviewed): readonly number[] =>
  record.findings.filter(({ effect }) => effect !== 'exempt').map(({ code }) => exitCodeOf(code));

const review = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  const [mode, output, timeout] = [modeOf(flags), outputOf(flags), timeoutOf(flags)];
  const file = flags.text('filename') ?? operands[0];
  if (file === undefined)
    throw new UsageError('no manifest is named: sailmark review -f FILE, or -f - for standard input');
  const { objects, skipped } = await parseManifests(
    await readInput(file, io.stdin),
    flags.text('namespace') ?? 'default',
  );
  if (objects.length === 0)
    io.stderr.write('Nothing to review: there is no object in it that holds a pod.\n');
  return withCore(await configOf(flags, io, objects.flatMap(imagesNamedIn)), io, async (core) => {
    const reviewed = await mapBounded(objects, AT_ONCE, (object) => reviewOne(core, object, mode, timeout));
    printReviews(reviewed, skipped, output, io);
    return flags.has('exit-zero') ? 0 : worstOf(reviewed.flatMap(codesOf));
  });
};

export const command: Command = {
  usage: 'review [flags] -f FILE|-',
  description:
    'Says what the webhook would answer: to manifests of any kind that holds a pod (lists and several documents too), as if each were created now, or to captured AdmissionReviews. A Deployment and its like get warnings, since the Pod is where the gate stands; the exit code is that of the worst finding all the same.',
  flags: [
    { name: 'filename', short: 'f', value: 'FILE|-', help: 'manifests in YAML or JSON, or AdmissionReviews' },
    { name: 'mode', value: 'enforce|warn|audit', help: 'what a refusal does (default enforce)' },
    {
      name: 'namespace',
      short: 'n',
      value: 'NAME',
      help: 'for manifests that name none (default "default")',
    },
    { name: 'output', short: 'o', value: 'text|json', help: 'text for people (default), or json' },
    { name: 'exit-zero', help: 'exit with 0 whatever is found' },
    ...coreFlags,
  ],
  examples: [
    'sailmark review -f deployment.yaml',
    'istioctl manifest generate | sailmark review --config sailmark.yaml -f -',
    'kubectl get pods -A -o json | sailmark review --mode audit -f -',
  ],
  exitCodes,
  operands: { least: 0, most: 1 },
  run: review,
};
