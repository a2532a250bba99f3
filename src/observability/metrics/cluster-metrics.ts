import type { Registry } from '@prometheus-io/client';
import { createCounter, createGauge, define } from './definition.ts';

const EVENTS = define(
  'counter',
  'sailmark_events_total',
  'Writes of Kubernetes Events; dropped: not attempted, because of the rate limit or because the object has no name',
  { result: ['written', 'dropped', 'failed'] },
);
const EXEMPTIONS = define(
  'gauge',
  'sailmark_exemption_expiry_timestamp_seconds',
  'End of an exemption, by its index in the configuration',
  { exemption: 'indexes of the exemptions' },
);
const ACTIVE = define(
  'gauge',
  'sailmark_webhook_active',
  'If the entries of the webhook configuration that can refuse are in force; 0: no replica was ready yet, they are suspended, or sailmark may not read or write them',
  {},
);
const CERTIFICATE = define(
  'gauge',
  'sailmark_certificate_expiry_timestamp_seconds',
  'End of the validity of the serving certificate',
  {},
);
const AUTHORITY = define(
  'gauge',
  'sailmark_ca_certificate_expiry_timestamp_seconds',
  'End of the validity of the CA that issues the serving certificate, where sailmark issues it',
  {},
);

export const clusterDefinitions = [EVENTS, EXEMPTIONS, ACTIVE, CERTIFICATE, AUTHORITY] as const;

export interface ClusterMetrics {
  /** Counts one write of an Event; `dropped`: it was not attempted. */
  countEvent(result: (typeof EVENTS.labels.result)[number]): void;
  /** Sets the ends of the exemptions, in milliseconds since the epoch and in the order of the configuration. */
  setExemptionEnds(ends: readonly number[]): void;
  /** Sets if the webhook configuration was in force when this process looked last. */
  setActive(active: boolean): void;
  /** Sets the end of the serving certificate's validity, in milliseconds since the epoch. */
  setCertificateEnd(end: number): void;
  /** Sets the end of the validity of the CA that issues it, in milliseconds since the epoch. */
  setAuthorityEnd(end: number): void;
}

/** Creates the metrics of what is in the cluster: Events, exemptions, the webhook configuration, certificates. */
export const createClusterMetrics = (registry: Registry): ClusterMetrics => {
  const events = createCounter(EVENTS, registry);
  const exemptions = createGauge(EXEMPTIONS, registry);
  const active = createGauge(ACTIVE, registry);
  const certificate = createGauge(CERTIFICATE, registry);
  const authority = createGauge(AUTHORITY, registry);
  return {
    countEvent: (result) => events({ result }),
    setExemptionEnds(ends) {
      for (const [index, end] of ends.entries()) exemptions({ exemption: String(index) }, end / 1000);
    },
    setActive: (isActive) => active({}, isActive ? 1 : 0),
    setCertificateEnd: (end) => certificate({}, end / 1000),
    setAuthorityEnd: (end) => authority({}, end / 1000),
  };
};
