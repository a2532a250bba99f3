import type { ReviewRecord } from '../../src/admission/index.ts';
import { recallOrElse } from '../../src/base/index.ts';
import { type Core, compose } from '../../src/compose.ts';
import { type Config, parseConfig } from '../../src/config/index.ts';
import type { CreateTransport } from '../../src/registry/index.ts';
import { type Deadline, deadlineOf } from '../../src/server/deadline.ts';
import { runWithDeadline } from '../../src/server/run-with-deadline.ts';
import { pod, review } from '../support/builders.ts';
import { signer } from './images.ts';
import {
  type Arrival,
  arrivalsOf,
  type Outcome,
  pinnedImages,
  type Resolution,
  type Run,
  recordResolutions,
} from './run.ts';
import type { Schedule } from './schedule.ts';
import { createSimulatedRegistry, VIRTUAL_HOSTS } from './simulated-registry.ts';
import { createSimulatedTransport } from './simulated-transport.ts';
import { startVirtualClock, VIRTUAL_START } from './virtual-clock.ts';

/** The parts of a run that the test may replace. */
export interface RunOptions {
  readonly wrapTransport?: (createTransport: CreateTransport, now: () => number) => CreateTransport;
}

const configs = new Map<string, Promise<Config>>();

const configOf = ({ undetermined, tagMemory, pin }: Schedule): Promise<Config> => {
  const key = `${undetermined} ${tagMemory} ${pin}`;
  const configuration = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: [{ inline: signer.publicPem }],
    mirrors: [{ mirror: `${VIRTUAL_HOSTS.mirror}/istio`, of: 'docker.io/istio' }],
    undetermined: { enforce: undetermined },
    pin,
    limits: { tagEntries: 50, rejectedEntries: 50 },
    tagMemory: `${tagMemory}ms`,
  };
  const config =
    configs.get(key) ??
    parseConfig(JSON.stringify(configuration), () => Promise.reject(new Error('there are no files')));
  configs.set(key, config);
  return config;
};

/** The part of a webhook that responds to reviews in a context, from memory or else with requests. */
interface Responder<Context, Output> {
  readonly recall: (body: unknown, context: Context) => Output | undefined;
  readonly review: (body: unknown, context: Context, signal: AbortSignal) => Promise<Output>;
}

/** Posts a review to one of the webhooks; undefined: it did not respond in time. */
const post = async <Context, Output>(
  { recall, review: respond }: Responder<Context, Output>,
  context: Context,
  body: object,
  deadline: Deadline,
): Promise<Output | undefined> =>
  recallOrElse<Output | undefined>(
    () => recall(body, context),
    () => runWithDeadline((signal) => respond(body, context, signal), deadline),
  );

/** Creates a pod, as the API server does: the mutating webhook, if it is in use, then the validating one. */
const createPod = async (
  { pinner, reviewer }: Core,
  { burst, images }: Arrival,
  { rules, limits }: Config,
): Promise<Pick<Outcome, 'validated' | 'verdict' | 'reasons'>> => {
  const deadline = deadlineOf(`${burst.timeout}s`, limits);
  const reviewOf = (names: readonly string[]) => review(pod(names), { namespace: burst.tenant });
  const pinning =
    rules.pin === 'never' ? undefined : await post(pinner, { critical: false }, reviewOf(images), deadline);
  const validated = pinnedImages(images, pinning?.response.response.patch);
  const output = await post(reviewer, { mode: 'enforce', critical: false }, reviewOf(validated), deadline);
  return { validated, ...outcomeOf(output?.record) };
};

const outcomeOf = (record: ReviewRecord | undefined): Pick<Outcome, 'verdict' | 'reasons'> => ({
  verdict: record?.verdict ?? 'late',
  reasons: new Map(record?.findings.map(({ image, code }) => [image, code])),
});

/** Runs a schedule through the core of the webhook, over a simulated network and a virtual clock. */
export const runSchedule = async (schedule: Schedule, options: RunOptions = {}): Promise<Run> => {
  const config = await configOf(schedule);
  const clock = startVirtualClock();
  try {
    const resolutions: Resolution[] = [];
    const elapsed = (): number => clock.now() - VIRTUAL_START;
    const createTransport = createSimulatedTransport(
      recordResolutions(createSimulatedRegistry(schedule, VIRTUAL_HOSTS, elapsed), elapsed, resolutions),
    );
    const report = (error: unknown): string => {
      throw error;
    };
    const core = compose(config, {
      report,
      onKeyEvent: () => {},
      now: clock.now,
      createTransport: options.wrapTransport?.(createTransport, clock.now) ?? createTransport,
    });
    await core.load();
    const arrivals = arrivalsOf(schedule, VIRTUAL_HOSTS.mirror);
    const outcomes: Outcome[] = [];
    let ended = 0;
    const arrive = async (index: number): Promise<void> => {
      const arrival = arrivals[index] as Arrival;
      const { burst, images } = arrival;
      const start = elapsed();
      const created = await createPod(core, arrival, config);
      outcomes[index] = { tenant: burst.tenant, images, start, end: elapsed(), late: 0, ...created };
      ended += 1;
    };
    arrivals.forEach(({ at }, index) => setTimeout(() => void arrive(index), at));
    await clock.run(() => ended === arrivals.length);
    await core.close();
    return { outcomes, resolutions: resolutions.toSorted((left, right) => left.at - right.at) };
  } finally {
    clock.stop();
  }
};
