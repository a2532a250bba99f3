import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { postReview, type ReviewResponse } from '../../support/webhook.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import type { PodRunner } from '../control-plane/kubelet/pod-runner.ts';
import { parseMetrics, type Sample, sumOf } from '../control-plane/metrics.ts';
import type { Pod } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { NAMESPACE } from './cluster.ts';

/*
 * Observes a release from outside: its metrics, its serving certificate, the CAs that the API server trusts, and the
 * API server's own metrics of the webhook.
 */

/** Resolves with the metrics of a replica. */
export const metricsOf = async ({ address }: PodRunner): Promise<readonly Sample[]> => {
  const response = await fetch(`http://${address}:8081/metrics`);
  return parseMetrics(await response.text());
};

/** Resolves with the certificate that a replica serves on a new connection. */
export const certificateOf = ({ address }: PodRunner): Promise<X509Certificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 8443, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error(`${address} serves no certificate`));
      else resolve(certificate);
    });
    socket.once('error', reject);
  });

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Resolves with the CAs that the API server trusts for the webhook. Rejects unless all entries have the same. */
export const trustedBy = async ({ api }: ControlPlane): Promise<readonly X509Certificate[]> => {
  const { webhooks } = await api.get<{
    readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
  }>('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sailmark');
  const bundles = new Set(webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''));
  const [bundle = ''] = bundles;
  if (bundles.size !== 1) throw new Error(`${bundles.size} bundles in one webhook configuration`);
  const pem = Buffer.from(bundle, 'base64').toString();
  return (pem.match(PEM) ?? []).map((each) => new X509Certificate(each));
};

/** Sends a review to one replica, bypassing the Service, over TLS with the CAs that the API server trusts. */
export const responseOf = async (
  plane: ControlPlane,
  { address }: PodRunner,
  review: object,
  path = '/validate/enforce',
): Promise<ReviewResponse> => {
  const ca = (await trustedBy(plane)).map(String);
  const agent = new Agent({ ca, servername: `sailmark.${NAMESPACE}.svc` });
  const { response } = await postReview(`https://${address}:8443${path}`, agent, JSON.stringify(review));
  return response;
};

/** Counts of failed webhook calls: the pods that the API server refused because of them, and those that it admitted. */
export interface Lost {
  readonly errors: number;
  readonly failedOpen: number;
}

/** Reads the counts from the API server's own metrics. */
export const callsLost = async (plane: ControlPlane): Promise<Lost> => {
  const samples = await plane.metrics();
  return {
    errors: sumOf(samples, 'apiserver_admission_webhook_rejection_count', {
      error_type: 'calling_webhook_error',
    }),
    failedOpen: sumOf(samples, 'apiserver_admission_webhook_fail_open_count'),
  };
};

const reviewCountOf = async (life: PodRunner): Promise<number> =>
  sumOf(await metricsOf(life), 'sailmark_reviews_total');

/** Resolves with the replica that gets the most reviews during `meanwhile`. */
export const busiestOf = async (
  lives: readonly PodRunner[],
  meanwhile: () => Promise<unknown>,
): Promise<PodRunner> => {
  const before = await Promise.all(lives.map(reviewCountOf));
  await meanwhile();
  const after = await Promise.all(lives.map(reviewCountOf));
  const counts = after.map((count, index) => count - (before[index] ?? 0));
  const busiest = lives[counts.indexOf(Math.max(...counts))];
  if (busiest === undefined) throw new Error('no replica runs');
  return busiest;
};

interface EndpointSlice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices?labelSelector=kubernetes.io/service-name=sailmark`;

/** Waits until exactly these replicas are ready endpoints of the release's Service: then the API server calls them. */
export const untilCalled = ({ api }: ControlPlane, lives: readonly PodRunner[]): Promise<unknown> => {
  const wanted = new Set(lives.map(({ address }) => address));
  return until('the endpoints of the Service', async () => {
    const { items } = await api.get<{ readonly items: readonly EndpointSlice[] }>(SLICES);
    const ready = items
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter(({ conditions }) => conditions?.ready === true)
      .flatMap(({ addresses }) => addresses);
    return ready.length === wanted.size && ready.every((address) => wanted.has(address));
  });
};

/**
 * Resolves, with the milliseconds since the epoch, when a watch reports that an address is no longer a ready endpoint
 * of the release's Service. The API server learns of it by the same kind of watch.
 */
export const endpointRemoved = async ({ api }: ControlPlane, address: string): Promise<number> => {
  const end = new AbortController();
  try {
    for await (const { object } of api.follow<EndpointSlice>(SLICES, end.signal)) {
      const endpoint = object.endpoints?.find(({ addresses }) => addresses.includes(address));
      if (endpoint?.conditions?.ready !== true) return Date.now();
    }
  } finally {
    end.abort();
  }
  throw new Error('the endpoints of the Service cannot be watched');
};

/** Resolves with the number of calls by this entry, whether they got a response or not. */
export const reviewsOfEntry = async (plane: ControlPlane, entry: string): Promise<number> =>
  sumOf(await plane.metrics(), 'apiserver_admission_webhook_admission_duration_seconds_count', {
    name: `${entry}.sailmark.dev`,
  });

/** Resolves with the pods of a namespace that match a label selector; by default all. */
export const podsIn = async (
  { api }: ControlPlane,
  namespace: string,
  selector = '',
): Promise<readonly Pod[]> => {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  const { items } = await api.get<{ readonly items: readonly Pod[] }>(path);
  return items;
};

/** A review in the log of a replica. */
export interface LoggedReview {
  readonly name: string;
  readonly namespace: string;
  readonly verdict: string;
}

/** Returns the reviews in the log of a replica. The last line may be incomplete: it counts once it has its end. */
export const reviewsIn = (life: PodRunner): readonly LoggedReview[] =>
  life
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('"msg":"review"}'))
    .map((line) => (JSON.parse(line) as { readonly review: LoggedReview }).review);
