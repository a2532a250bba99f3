import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { ReviewRecord } from '../admission/index.ts';
import type { KeyEvent, KeyRing, Verification } from '../verification/index.ts';

/** Seconds; the upper ones are the API server's own limits. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is counted. Labels are closed sets: never the name of an image, a namespace or a person. */
export interface Metrics {
  /** The text format of Prometheus, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
  countReview(record: ReviewRecord, seconds: number): void;
  countVerification(verification: Verification, seconds: number): void;
  /** `registry`: a host that the configuration names, or `other`. */
  countRegistryRequest(registry: string): void;
  countKeyEvent(event: Pick<KeyEvent, 'code'>): void;
  /** Reads the ring's state each time the metrics are. */
  watchKeys(ring: () => KeyRing): void;
  /** One write of an Event; `dropped`: it was not tried. */
  countEvent(result: 'written' | 'dropped' | 'failed'): void;
  /** Ends of exemptions in milliseconds, in the order of the configuration. */
  setExemptionEnds(ends: readonly number[]): void;
  /** The end of the certificate that is served, in milliseconds. */
  setCertificateEnd(end: number): void;
}

const createReviewMetrics = (registers: Registry[]): Pick<Metrics, 'countReview'> => {
  const reviews = new Counter({
    name: 'sailmark_reviews_total',
    help: 'AdmissionReviews answered',
    labelNames: ['mode', 'critical', 'operation', 'verdict'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'sailmark_review_duration_seconds',
    help: 'Time from a whole AdmissionReview to its answer',
    labelNames: ['mode'] as const,
    buckets: SECONDS,
    registers,
  });
  const findings = new Counter({
    name: 'sailmark_findings_total',
    help: 'Image uses that were not let through, or were in spite of something',
    labelNames: ['reason', 'effect'] as const,
    registers,
  });
  return {
    countReview({ mode, critical, operation, verdict, findings: found }, seconds) {
      reviews.inc({ mode, critical: String(critical), operation, verdict });
      duration.observe({ mode }, seconds);
      for (const { code, effect } of found) findings.inc({ reason: code, effect });
    },
  };
};

const createVerificationMetrics = (
  registers: Registry[],
): Pick<Metrics, 'countVerification' | 'countRegistryRequest'> => {
  const verifications = new Counter({
    name: 'sailmark_verifications_total',
    help: 'Verifications of one image each, and whether the verdict was remembered',
    labelNames: ['outcome', 'from_memory'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'sailmark_verification_duration_seconds',
    help: 'Time of a verification that was not remembered',
    buckets: SECONDS,
    registers,
  });
  const requests = new Counter({
    name: 'sailmark_registry_requests_total',
    help: 'HTTP requests sent for images of a registry',
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
    help: 'Public keys in the ring, and entries of the configuration whose keys are missing from it',
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
    help: 'What happened to keys: loaded, missing, a file that does not parse, a URL that serves another key',
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
    help: 'Writes of Events on reviews; dropped: not written, for the limit of rate or for want of an object',
    labelNames: ['result'] as const,
    registers,
  });
  return { countEvent: (result) => events.inc({ result }) };
};

const createExemptionMetrics = (registers: Registry[]): Pick<Metrics, 'setExemptionEnds'> => {
  const ends = new Gauge({
    name: 'sailmark_exemption_expiry_timestamp_seconds',
    help: 'When an exemption ends, by its place in the configuration',
    labelNames: ['exemption'] as const,
    registers,
  });
  return {
    setExemptionEnds: (times) => {
      for (const [index, time] of times.entries()) ends.set({ exemption: String(index) }, time / 1000);
    },
  };
};

const createCertificateMetrics = (registers: Registry[]): Pick<Metrics, 'setCertificateEnd'> => {
  let end: Gauge | undefined;
  return {
    setCertificateEnd(time) {
      // Not before it is known: 0 would be a certificate that ended long ago.
      end ??= new Gauge({
        name: 'sailmark_certificate_expiry_timestamp_seconds',
        help: 'When the certificate that is served ends',
        registers,
      });
      end.set(time / 1000);
    },
  };
};

/** The metrics of one process in a registry of their own. `build` is what `sailmark_build_info` says. */
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
    help: 'Which build this is; always 1',
    labelNames: ['version', 'commit', 'node'] as const,
    registers,
  }).set(build, 1);
  return {
    ...createReviewMetrics(registers),
    ...createVerificationMetrics(registers),
    ...createKeyMetrics(registers),
    ...createEventMetrics(registers),
    ...createExemptionMetrics(registers),
    ...createCertificateMetrics(registers),
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
};
