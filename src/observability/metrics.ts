import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { PinRecord, ReviewRecord } from '../admission/index.ts';
import type { KeyEvent, KeyRing, Verification } from '../verification/index.ts';

/** Buckets in seconds; the upper ones are timeouts of the API server. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics. Labels are closed sets: never the name of an image, a namespace or a person. */
export interface Metrics {
  /** Renders the metrics in the text format of Prometheus, with its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
  countReview(record: ReviewRecord, seconds: number): void;
  /** Counts a review by the mutating webhook, which is none of `countReview`. */
  countPins(record: PinRecord, seconds: number): void;
  countVerification(verification: Verification, seconds: number): void;
  /** `registry`: a host that the configuration names, or `other`. */
  countRegistryRequest(registry: string): void;
  countKeyEvent(event: Pick<KeyEvent, 'code'>): void;
  /** Reads the state of the key ring whenever the metrics are rendered. */
  watchKeys(ring: () => KeyRing): void;
  /** Counts one write of an Event; `dropped`: it was not attempted. */
  countEvent(result: 'written' | 'dropped' | 'failed'): void;
  /** Sets the ends of the exemptions, in milliseconds since the epoch and in the order of the configuration. */
  setExemptionEnds(ends: readonly number[]): void;
  /** Sets if the webhook configuration was in force when this process looked last. */
  setActive(active: boolean): void;
  /** Sets the end of the serving certificate's validity, in milliseconds since the epoch. */
  setCertificateEnd(end: number): void;
}

const createReviewMetrics = (registers: Registry[]): Pick<Metrics, 'countReview'> => {
  const reviews = new Counter({
    name: 'sailmark_reviews_total',
    help: 'AdmissionReviews responded to',
    labelNames: ['mode', 'critical', 'operation', 'verdict'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'sailmark_review_duration_seconds',
    help: 'Time from receiving an AdmissionReview to its response',
    labelNames: ['mode'] as const,
    buckets: SECONDS,
    registers,
  });
  const findings = new Counter({
    name: 'sailmark_findings_total',
    help: 'Image uses with a reason to deny them, by the effect that it had',
    labelNames: ['reason', 'effect'] as const,
    registers,
  });
  const workloads = new Counter({
    name: 'sailmark_workload_reviews_total',
    help: 'AdmissionReviews of workloads responded to, which are none of sailmark_reviews_total; none is ever denied',
    labelNames: ['mode', 'critical', 'verdict'] as const,
    registers,
  });
  return {
    countReview({ route, mode, critical, operation, verdict, findings: reviewFindings }, seconds) {
      if (route === 'workloads') {
        workloads.inc({ mode, critical: String(critical), verdict });
        return;
      }
      reviews.inc({ mode, critical: String(critical), operation, verdict });
      duration.observe({ mode }, seconds);
      for (const { code, effect } of reviewFindings) findings.inc({ reason: code, effect });
    },
  };
};

const createPinMetrics = (registers: Registry[]): Pick<Metrics, 'countPins'> => {
  const reviews = new Counter({
    name: 'sailmark_pin_reviews_total',
    help: 'AdmissionReviews that the mutating webhook responded to; incomplete: an Istio image was not pinned',
    labelNames: ['critical', 'operation', 'result'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'sailmark_pin_duration_seconds',
    help: 'Time from receiving an AdmissionReview by the mutating webhook to its response',
    labelNames: ['critical'] as const,
    buckets: SECONDS,
    registers,
  });
  const images = new Counter({
    name: 'sailmark_pinned_images_total',
    help: 'Image uses pinned to a digest: verified, exempt, the last one during an outage, or the one before an update',
    labelNames: ['source'] as const,
    registers,
  });
  const resultOf = ({ pinned, unpinned, incident }: PinRecord): string => {
    if (incident !== undefined) return 'failed';
    if (unpinned.length > 0) return 'incomplete';
    return pinned.length > 0 ? 'pinned' : 'unchanged';
  };
  return {
    countPins(record, seconds) {
      const { critical, operation } = record;
      reviews.inc({ critical: String(critical), operation, result: resultOf(record) });
      duration.observe({ critical: String(critical) }, seconds);
      for (const { source } of record.pinned) images.inc({ source });
    },
  };
};

const createVerificationMetrics = (
  registers: Registry[],
): Pick<Metrics, 'countVerification' | 'countRegistryRequest'> => {
  const verifications = new Counter({
    name: 'sailmark_verifications_total',
    help: 'Verifications of an image, and whether the verdict came from memory',
    labelNames: ['outcome', 'from_memory'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'sailmark_verification_duration_seconds',
    help: 'Time of a verification that did not come from memory',
    buckets: SECONDS,
    registers,
  });
  const requests = new Counter({
    name: 'sailmark_registry_requests_total',
    help: 'HTTP requests sent to registries',
    labelNames: ['registry'] as const,
    registers,
  });
  return {
    countVerification({ outcome, fromMemory }, seconds) {
      verifications.inc({ outcome, from_memory: String(fromMemory) });
      if (!fromMemory) duration.observe(seconds);
    },
    countRegistryRequest: (registry) => requests.inc({ registry }),
  };
};

const createKeyMetrics = (registers: Registry[]): Pick<Metrics, 'countKeyEvent' | 'watchKeys'> => {
  let current: (() => KeyRing) | undefined;
  void new Gauge({
    name: 'sailmark_keys',
    help: 'Public keys in the key ring, and configured keys that could not be loaded',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const ring = current?.();
      this.set({ state: 'loaded' }, ring?.keys.size ?? 0);
      this.set({ state: 'missing' }, ring?.missing.length ?? 0);
    },
  });
  const events = new Counter({
    name: 'sailmark_key_events_total',
    help: 'Events of configured keys: loaded, missing, a file that does not parse, a URL that serves another key',
    labelNames: ['code'] as const,
    registers,
  });
  return {
    countKeyEvent: ({ code }) => events.inc({ code }),
    watchKeys: (ring) => {
      current = ring;
    },
  };
};

const createEventMetrics = (registers: Registry[]): Pick<Metrics, 'countEvent'> => {
  const events = new Counter({
    name: 'sailmark_events_total',
    help: 'Writes of Kubernetes Events; dropped: not attempted, because of the rate limit or because the object has no name',
    labelNames: ['result'] as const,
    registers,
  });
  return { countEvent: (result) => events.inc({ result }) };
};

const createExemptionMetrics = (registers: Registry[]): Pick<Metrics, 'setExemptionEnds'> => {
  const ends = new Gauge({
    name: 'sailmark_exemption_expiry_timestamp_seconds',
    help: 'End of an exemption, by its index in the configuration',
    labelNames: ['exemption'] as const,
    registers,
  });
  return {
    setExemptionEnds: (times) => {
      for (const [index, time] of times.entries()) ends.set({ exemption: String(index) }, time / 1000);
    },
  };
};

const createActivationMetrics = (registers: Registry[]): Pick<Metrics, 'setActive'> => {
  let active: Gauge | undefined;
  return {
    setActive(isActive) {
      // Created when the value is known: where nothing is activated there is none.
      active ??= new Gauge({
        name: 'sailmark_webhook_active',
        help: 'If the entries of the webhook configuration that can refuse are in force; 0: no replica was ready yet, they are suspended, or sailmark may not read or write them',
        registers,
      });
      active.set(isActive ? 1 : 0);
    },
  };
};

const createCertificateMetrics = (registers: Registry[]): Pick<Metrics, 'setCertificateEnd'> => {
  let end: Gauge | undefined;
  return {
    setCertificateEnd(time) {
      // Created when the value is known: 0 would be a certificate that expired long ago.
      end ??= new Gauge({
        name: 'sailmark_certificate_expiry_timestamp_seconds',
        help: 'End of the validity of the serving certificate',
        registers,
      });
      end.set(time / 1000);
    },
  };
};

/** Creates the metrics of one process in a registry of their own. `build` becomes the labels of `sailmark_build_info`. */
export const createMetrics = (build: {
  readonly version: string;
  readonly commit: string;
  readonly node: string;
}): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'sailmark_build_info',
    help: 'Version, commit and Node.js version of this build; always 1',
    labelNames: ['version', 'commit', 'node'] as const,
    registers,
  }).set(build, 1);
  return {
    ...createReviewMetrics(registers),
    ...createPinMetrics(registers),
    ...createVerificationMetrics(registers),
    ...createKeyMetrics(registers),
    ...createEventMetrics(registers),
    ...createExemptionMetrics(registers),
    ...createActivationMetrics(registers),
    ...createCertificateMetrics(registers),
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
};
