import type { OpenSource, RegistryState } from '../registry/index.ts';
import type { Verifier } from '../verification/index.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { LabelledRegistry } from './metrics/registry-metrics.ts';

/** Counts and times the verifications of `verifier`. A recalled verdict takes 0 seconds. */
export const measureVerifier = (
  verifier: Verifier,
  metrics: Pick<Metrics, 'countVerification'>,
  now: () => number,
): Verifier => ({
  recall: (request) => {
    const verified = verifier.recall(request);
    if (verified !== undefined) metrics.countVerification(verified, 0);
    return verified;
  },
  verify: async (request, signal) => {
    const startedAt = now();
    const verification = await verifier.verify(request, signal);
    metrics.countVerification(verification, (now() - startedAt) / 1000);
    return verification;
  },
});

const labelOf = (host: string, known: ReadonlySet<string>): string => (known.has(host) ? host : 'other');

/** Merges the states of registries that have one label: hosts that are not in `known` are `other`. */
export const labelRegistries = (
  states: readonly RegistryState[],
  known: ReadonlySet<string>,
): readonly LabelledRegistry[] => {
  const labelled = new Map<string, LabelledRegistry>();
  for (const { host, up, failing, inFlight, waiting } of states) {
    const registry = labelOf(host, known);
    const before = labelled.get(registry) ?? { up: true, failing: 0, inFlight: 0, waiting: 0 };
    labelled.set(registry, {
      registry,
      up: before.up && up,
      failing: before.failing + failing,
      inFlight: before.inFlight + inFlight,
      waiting: before.waiting + waiting,
    });
  }
  return [...labelled.values()];
};

/** Counts requests by registry. Hosts that are not in `known` count as `other`, so that the labels are a closed set. */
export const measureOpen = (
  open: OpenSource,
  metrics: Pick<Metrics, 'countRegistryRequest'>,
  known: ReadonlySet<string>,
): OpenSource => {
  return (repository, caller) => {
    const onRequest = (): void => {
      metrics.countRegistryRequest(labelOf(repository.registry, known));
      caller.onRequest();
    };
    return open(repository, { ...caller, onRequest });
  };
};
