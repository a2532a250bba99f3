import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import { type ClusterMetrics, clusterDefinitions, createClusterMetrics } from './cluster-metrics.ts';
import { createGauge, type Definition, define } from './definition.ts';
import { createEvidenceMetrics, type EvidenceMetrics, evidenceDefinitions } from './evidence-metrics.ts';
import { createKeyMetrics, type KeyMetrics, keyDefinitions } from './key-metrics.ts';
import { createRegistryMetrics, type RegistryMetrics, registryDefinitions } from './registry-metrics.ts';
import { createReviewMetrics, type ReviewMetrics, reviewDefinitions } from './review-metrics.ts';
import { createScanMetrics, type ScanMetrics, scanDefinitions } from './scan-metrics.ts';
import { createServerMetrics, type ServerMetrics, serverDefinitions } from './server-metrics.ts';
import {
  createVerificationMetrics,
  type VerificationMetrics,
  verificationDefinitions,
} from './verification-metrics.ts';

const BUILD = define(
  'gauge',
  'sailmark_build_info',
  'Version, commit and Node.js version of this build; always 1',
  {
    version: 'the version of this build',
    commit: 'the commit of this build',
    node: 'the version of Node.js',
  },
);

/** Every metric of sailmark's own, as docs/metrics.md lists them. */
export const metricDefinitions: readonly Definition[] = [
  BUILD,
  ...reviewDefinitions,
  ...verificationDefinitions,
  ...registryDefinitions,
  ...keyDefinitions,
  ...clusterDefinitions,
  ...evidenceDefinitions,
  ...serverDefinitions,
  ...scanDefinitions,
];

/**
 * The metrics. Labels are closed sets: never the name of an image, a namespace or a person. What describes a state is read
 * when the metrics are rendered, and costs a review nothing.
 */
export interface Metrics
  extends ReviewMetrics,
    VerificationMetrics,
    RegistryMetrics,
    KeyMetrics,
    ClusterMetrics,
    EvidenceMetrics,
    ServerMetrics,
    ScanMetrics {
  /** Renders the metrics in the text format of Prometheus, with its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Metrics of the library with the name of another type. Counts of handles are there by type, and the lag of the event loop. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** Creates the metrics of one process in a registry of their own. `build` becomes the labels of `sailmark_build_info`. */
export const createMetrics = (build: {
  readonly version: string;
  readonly commit: string;
  readonly node: string;
}): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  createGauge(BUILD, registry)(build, 1);
  return {
    ...createReviewMetrics(registry),
    ...createVerificationMetrics(registry),
    ...createRegistryMetrics(registry),
    ...createKeyMetrics(registry),
    ...createClusterMetrics(registry),
    ...createEvidenceMetrics(registry),
    ...createServerMetrics(registry),
    ...createScanMetrics(registry),
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
};
