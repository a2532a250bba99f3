import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** The labels of a metric. A text instead of a list of values names the part of the configuration that closes the set. */
export type LabelSets = Readonly<Record<string, readonly string[] | string>>;

/** One metric. Each has a row in docs/metrics.md. */
export interface Definition<Labels extends LabelSets = LabelSets> {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
}

/** A value for each label, of its closed set. */
export type LabelValues<Labels extends LabelSets> = {
  readonly [Name in keyof Labels]: Labels[Name] extends readonly (infer Value extends string)[]
    ? Value
    : string;
};

/** Values by their labels; undefined: there is none. */
export type Samples<Labels extends LabelSets> = Iterable<
  readonly [labels: LabelValues<Labels>, value: number | undefined]
>;

/** Buckets in seconds: 0.1 ms is a review from memory, 10 s the API server's timeout. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Counters with at most so many combinations of values begin at 0, so that their first event is an increase. */
const MAX_COMBINATIONS = 100;

/** Defines a metric. */
export const define = <const Labels extends LabelSets>(
  type: Definition['type'],
  name: `sailmark_${string}`,
  help: string,
  labels: Labels,
): Definition<Labels> => ({ type, name, help, labels });

const configurationOf = <Labels extends LabelSets>(
  { name, help, labels }: Definition<Labels>,
  registry: Registry,
) => ({
  name,
  help,
  labelNames: Object.keys(labels),
  registers: [registry],
});

/** Returns every combination of the values of labels; none if a set is the configuration's. */
const combinationsOf = (labels: LabelSets): readonly Readonly<Record<string, string>>[] => {
  let combinations: readonly Readonly<Record<string, string>>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    if (typeof values === 'string') return [];
    combinations = combinations.flatMap((others) => values.map((value) => ({ ...others, [name]: value })));
  }
  return combinations;
};

/** Creates a counter. Returns the function that adds to it. */
export const createCounter = <const Labels extends LabelSets>(
  definition: Definition<Labels>,
  registry: Registry,
): ((labels: LabelValues<Labels>, by?: number) => void) => {
  const counter = new Counter<string>(configurationOf(definition, registry));
  const combinations = combinationsOf(definition.labels);
  if (combinations.length <= MAX_COMBINATIONS) for (const labels of combinations) counter.inc(labels, 0);
  return (labels, by = 1) => counter.inc(labels, by);
};

/** Creates a gauge. Returns the function that sets it. It has no sample before that: 0 would be a value. */
export const createGauge = <const Labels extends LabelSets>(
  definition: Definition<Labels>,
  registry: Registry,
): ((labels: LabelValues<Labels>, value: number) => void) => {
  const gauge = new Gauge<string>(configurationOf(definition, registry));
  if (Object.keys(definition.labels).length === 0) gauge.remove();
  return (labels, value) => gauge.set(labels, value);
};

/** Creates a histogram of seconds. Returns the function that observes a time. */
export const createHistogram = <const Labels extends LabelSets>(
  definition: Definition<Labels>,
  registry: Registry,
): ((labels: LabelValues<Labels>, seconds: number) => void) => {
  const histogram = new Histogram<string>({ ...configurationOf(definition, registry), buckets: SECONDS });
  return (labels, seconds) => histogram.observe(labels, seconds);
};

/** Creates a gauge or counter whose values are read when the metrics are rendered, and cost nothing before. */
export const createRead = <const Labels extends LabelSets>(
  definition: Definition<Labels>,
  registry: Registry,
  read: () => Samples<Labels>,
): void => {
  const add = (metric: Gauge<string> | Counter<string>): void => {
    metric.reset();
    if (Object.keys(definition.labels).length === 0) metric.remove();
    for (const [labels, value] of read()) if (value !== undefined) metric.inc(labels, value);
  };
  const configuration = configurationOf(definition, registry);
  if (definition.type === 'counter') {
    void new Counter<string>({
      ...configuration,
      collect() {
        add(this);
      },
    });
  } else {
    void new Gauge<string>({
      ...configuration,
      collect() {
        add(this);
      },
    });
  }
};

/**
 * Returns a function that reads a state once for all metrics that are rendered together: they agree, and a state that takes
 * long to count is counted once.
 */
export const createSnapshot = <State>(read: () => State): (() => State) => {
  let taken: { readonly state: State } | undefined;
  return () => {
    if (taken === undefined) {
      taken = { state: read() };
      // After the rendering, which takes one turn of the event loop.
      setImmediate(() => (taken = undefined));
    }
    return taken.state;
  };
};

/** The only sample of a metric without labels. */
export const single = (
  value: number | undefined,
): readonly (readonly [Readonly<Record<string, never>>, number | undefined])[] => [[{}, value]];

/** Seconds since the epoch, the unit of times in metrics. */
export const secondsOf = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;
