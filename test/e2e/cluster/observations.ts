import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { type Answer, post } from '../../support/webhook.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import type { PodRunner } from '../control-plane/kubelet/pod-runner.ts';
import { parseMetrics, type Sample, sumOf } from '../control-plane/metrics.ts';
import type { Pod } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { NAMESPACE } from './cluster.ts';

/*
 * What is to be seen of a release from outside: its metrics, the certificate it serves, whom the API server trusts and
 * how it fared with it.
 */

/** What a replica measures. */
export const metricsOf = async ({ address }: PodRunner): Promise<readonly Sample[]> => {
  const response = await fetch(`http://${address}:8081/metrics`);
  return parseMetrics(await response.text());
};

/** The certificate that a replica serves to the next connection. */
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

/** The CAs that the API server trusts for the webhook, by every entry the same. */
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

/** What one replica answers, asked past the Service: over TLS, by one that trusts whom the API server trusts. */
export const responseOf = async (
  plane: ControlPlane,
  { address }: PodRunner,
  review: object,
): Promise<Answer> => {
  const ca = (await trustedBy(plane)).map(String);
  const agent = new Agent({ ca, servername: `sailmark.${NAMESPACE}.svc` });
  const { answer } = await post(`https://${address}:8443/validate/enforce`, agent, JSON.stringify(review));
  return answer;
};

/** Pods that the API server refused because a call of the webhook failed, and those that it let through all the same. */
export interface Lost {
  readonly errors: number;
  readonly failedOpen: number;
}

/** By the API server's own metrics. */
export const callsLost = async (plane: ControlPlane): Promise<Lost> => {
  const samples = await plane.metrics();
  return {
    errors: sumOf(samples, 'apiserver_admission_webhook_rejection_count', {
      error_type: 'calling_webhook_error',
    }),
    failedOpen: sumOf(samples, 'apiserver_admission_webhook_fail_open_count'),
  };
};

const reviewsOf = async (life: PodRunner): Promise<number> =>
  sumOf(await metricsOf(life), 'sailmark_reviews_total');

/** The replica that the API server asks most while this lasts. */
export const busiestOf = async (
  lives: readonly PodRunner[],
  meanwhile: () => Promise<unknown>,
): Promise<PodRunner> => {
  const before = await Promise.all(lives.map(reviewsOf));
  await meanwhile();
  const after = await Promise.all(lives.map(reviewsOf));
  const asked = after.map((count, place) => count - (before[place] ?? 0));
  const most = lives[asked.indexOf(Math.max(...asked))];
  if (most === undefined) throw new Error('there is no replica');
  return most;
};

interface EndpointSlice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices?labelSelector=kubernetes.io/service-name=sailmark`;

/** Waits until just these replicas are ready endpoints of the release's Service: then the API server calls them. */
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
 * When an address is no ready endpoint of the release's Service any more, as a watch tells it: the API server hears of it by the same
 * kind of watch. Milliseconds since the epoch.
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

/** How often the API server asked by this entry, answered or not. */
export const reviewsOfEntry = async (plane: ControlPlane, entry: string): Promise<number> =>
  sumOf(await plane.metrics(), 'apiserver_admission_webhook_admission_duration_seconds_count', {
    name: `${entry}.sailmark.dev`,
  });

/** The pods of a namespace, or those of them that a selector of labels names. */
export const podsIn = async (
  { api }: ControlPlane,
  namespace: string,
  selector = '',
): Promise<readonly Pod[]> => {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  const { items } = await api.get<{ readonly items: readonly Pod[] }>(path);
  return items;
};

/** A review as a replica's log has it. */
export interface LoggedReview {
  readonly name: string;
  readonly namespace: string;
  readonly verdict: string;
}

/** The reviews that a replica answered, by its log. */
export const reviewsIn = (life: PodRunner): readonly LoggedReview[] =>
  life
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('"msg":"review"}'))
    .map((line) => (JSON.parse(line) as { readonly review: LoggedReview }).review);
