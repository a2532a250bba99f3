import type { Registry } from '@prometheus-io/client';
import type { RegistryState } from '../../registry/index.ts';
import { createCounter, createRead, type Definition, define, type Samples } from './definition.ts';
import { REGISTRIES } from './labels.ts';

const REQUESTS = define('counter', 'sailmark_registry_requests_total', 'HTTP requests sent to registries', {
  registry: REGISTRIES,
});
const UP = define(
  'gauge',
  'sailmark_registry_up',
  'If connections to a registry are made; 0: the last five failed, and it is asked again every few seconds',
  { registry: REGISTRIES },
);
const FAILING = define(
  'gauge',
  'sailmark_registry_failing_resources',
  'Tags, manifests and lists of a registry that are not asked for now: they failed five times, or it asked for a pause',
  { registry: REGISTRIES },
);
const IN_FLIGHT = define(
  'gauge',
  'sailmark_registry_requests_in_flight',
  'Requests to a registry that hold one of its slots now',
  { registry: REGISTRIES },
);
const WAITING = define(
  'gauge',
  'sailmark_registry_requests_waiting',
  'Requests to a registry that wait in line for a slot now',
  { registry: REGISTRIES },
);

export const registryDefinitions = [REQUESTS, UP, FAILING, IN_FLIGHT, WAITING] as const;

export interface RegistryMetrics {
  /** `registry`: a host that the configuration names, or `other`. */
  countRegistryRequest(registry: string): void;
  /** Reads the states of registries whenever the metrics are rendered; `registry` is a label as above. */
  watchRegistries(states: () => readonly LabelledRegistry[]): void;
}

/** The state of a registry, or of all that are `other`. */
export type LabelledRegistry = Omit<RegistryState, 'host'> & { readonly registry: string };

/** Creates the metrics of requests to registries, and of what is held to be down. */
export const createRegistryMetrics = (registry: Registry): RegistryMetrics => {
  const requests = createCounter(REQUESTS, registry);
  return {
    countRegistryRequest: (host) => requests({ registry: host }),
    watchRegistries(states) {
      const read = (
        definition: Definition<{ readonly registry: string }>,
        valueOf: (state: LabelledRegistry) => number,
      ): void =>
        createRead(
          definition,
          registry,
          (): Samples<{ readonly registry: string }> =>
            states().map((state) => [{ registry: state.registry }, valueOf(state)]),
        );
      read(UP, ({ up }) => (up ? 1 : 0));
      read(FAILING, ({ failing }) => failing);
      read(IN_FLIGHT, ({ inFlight }) => inFlight);
      read(WAITING, ({ waiting }) => waiting);
    },
  };
};
