import { reviewObject, toObjectResponse } from '../../admission/index.ts';
import type { Config } from '../../config/index.ts';
import { type Mode, mustPin } from '../../policy/index.ts';
import { toGithub, toJunit, toSarif } from '../../report/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { coreFlags, readConfig } from '../flags/core-flags.ts';
import { parseTimeout, timeoutFlag } from '../flags/timeout-flag.ts';
import { exitCodeOf, exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { mapConcurrently } from '../shared/map-concurrently.ts';
import { createProgress, progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { findImageNames, parseManifests, type Reviewable } from './manifests.ts';
import { type Plan, planReview } from './plan.ts';
import { printReviews, type ReviewedObject } from './print.ts';
import { toReport } from './report.ts';
import { readSources } from './sources.ts';

const MODES = ['enforce', 'warn', 'audit'] as const satisfies readonly Mode[];
const OUTPUTS = ['text', 'json', 'sarif', 'junit', 'github'] as const;

const FORMATS = { sarif: toSarif, junit: toJunit, github: toGithub } as const;

const MAX_CONCURRENT_REVIEWS = 8;

/** The exit codes of an object's findings. A finding that an exemption lifts does not fail the command. */
const exitCodesOf = ({ record }: ReviewedObject): readonly number[] =>
  record.findings.filter(({ effect }) => effect !== 'exempt').map(({ code }) => exitCodeOf(code));

const readManifests = async (flags: Flags, io: Io): Promise<readonly Reviewable[]> => {
  const paths = flags.list('filename');
  if (paths.length === 0)
    throw new UsageError('no manifest given: sailmark review -f FILE|DIR, or -f - for standard input');
  const sources = await readSources(paths, flags.has('recursive'), io);
  return parseManifests(sources, flags.text('namespace') ?? 'default');
};

/** An object that is not judged as a whole is undetermined: nothing is known of the images that it holds. */
const UNJUDGED = 20;

const reviewPlanned = (
  plan: Plan,
  config: Config,
  flags: Flags,
  io: Io,
): Promise<readonly ReviewedObject[]> => {
  const mode = parseChoice(flags, 'mode', MODES);
  const timeout = parseTimeout(flags);
  const context = { mode, critical: false, whole: true, pins: mustPin(config.rules, mode) };
  return withCore(config, io, async (core) => {
    checkKeys(core.ring(), config, flags, io);
    const { increment, clear } = createProgress(io, flags, plan.reviewed.length);
    return mapConcurrently(plan.reviewed, MAX_CONCURRENT_REVIEWS, async ({ review: body, place }) => {
      const result = await reviewObject(core.admission, body, context, AbortSignal.timeout(timeout));
      increment();
      return { place, reasons: result.findings, ...toObjectResponse(result) };
    }).finally(clear);
  });
};

const review = async (flags: Flags, io: Io): Promise<number> => {
  parseChoice(flags, 'mode', MODES);
  const output = parseChoice(flags, 'output', OUTPUTS);
  const objects = await readManifests(flags, io);
  const config = await readConfig(flags, io, { images: () => objects.flatMap(findImageNames) });
  const plan = planReview(objects, config);
  if (plan.reviewed.length === 0 && plan.unjudged.length === 0)
    io.stderr.write('Note: nothing to review: no object has a pod or pod template, nor an image of Istio\n');
  const reviewed = plan.reviewed.length === 0 ? [] : await reviewPlanned(plan, config, flags, io);
  const results = { ...plan, reviewed };
  if (output === 'text' || output === 'json') printReviews(results, output, io);
  else io.stdout.write(FORMATS[output](await toReport(results, objects, parseChoice(flags, 'mode', MODES))));
  const codes = [...reviewed.flatMap(exitCodesOf), ...plan.unjudged.map(() => UNJUDGED)];
  return flags.has('exit-zero') ? 0 : worstExitCode(codes);
};

export const command: Command = {
  usage: 'review [flags] -f FILE|DIR|-',
  description:
    "Shows how the webhook would respond to manifests, as if each object were created now, or to captured AdmissionReviews. Manifests may be of any kind, in lists, in several documents and in several files: a pod template is found by its shape (an Argo Rollout, a Knative Service), and the images that Istio injects or installs by its configuration (the injector's ConfigMap, an IstioOperator, a resource of the Sail operator). Workloads and other such objects get warnings, because the webhook refuses pods, not workloads; the exit code is that of the most serious finding either way. Where the configuration pins images, each object is judged as the mutating webhook would pin it, and that is said.\nAn object with an image that could be Istio's and was not judged, such as an argument of a command or a field of an unknown kind, is named, and the exit code is 20. So is a template with `image: auto`, unless the injector's ConfigMap is in the input too. Objects without images are counted; if there are no others, a note says so and the exit code is 0.",
  flags: [
    {
      name: 'filename',
      short: 'f',
      value: 'FILE|DIR|-',
      repeatable: true,
      help: 'manifests in YAML or JSON (several documents, a JSON stream), or captured AdmissionReviews: a file, the .yaml, .yml and .json files of a directory, or standard input',
    },
    { name: 'recursive', short: 'R', help: 'read the directories below a directory of -f too' },
    { name: 'mode', value: MODES.join('|'), help: 'how the webhook acts on a refusal (default enforce)' },
    {
      name: 'namespace',
      short: 'n',
      value: 'NAME',
      help: 'the namespace of manifests without one (default "default")',
    },
    {
      name: 'output',
      short: 'o',
      value: OUTPUTS.join('|'),
      help: 'human-readable text (default), json, or for other programs: sarif (code scanning), junit (test reports), github (annotations of a workflow)',
    },
    { name: 'exit-zero', help: 'exit with 0 regardless of findings' },
    ...coreFlags,
    timeoutFlag('object'),
    progressFlag,
  ],
  examples: [
    'sailmark review -f deployment.yaml',
    'sailmark review -R -f manifests',
    'sailmark review -R -f manifests --output sarif',
    'istioctl manifest generate | sailmark review --config sailmark.yaml -f -',
    'kubectl get pods -A -o json | sailmark review --mode audit -f -',
  ],
  exitCodes,
  maxOperands: 0,
  run: (flags, _operands, io) => review(flags, io),
};
