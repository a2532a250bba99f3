import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import type { PodLife } from '../control-plane/kubelet/pod-life.ts';
import { parseMetrics, type Sample, sumOf } from '../control-plane/metrics.ts';

/*
 * What is to be seen of a release from outside: its metrics, the certificate it serves, whom the API server trusts and
 * how it fared with it.
 */

/** What a replica measures. */
export const metricsOf = async ({ address }: PodLife): Promise<readonly Sample[]> => {
  const response = await fetch(`http://${address}:8081/metrics`);
  return parseMetrics(await response.text());
};

/** The certificate that a replica serves to the next connection. */
export const certificateOf = ({ address }: PodLife): Promise<X509Certificate> =>
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

/** Calls of the webhook that the API server got no answer to, and reviews that it went on without. */
export const callsLost = async (plane: ControlPlane): Promise<{ errors: number; failedOpen: number }> => {
  const samples = await plane.metrics();
  return {
    errors: sumOf(samples, 'apiserver_admission_webhook_rejection_count', {
      error_type: 'calling_webhook_error',
    }),
    failedOpen: sumOf(samples, 'apiserver_admission_webhook_fail_open_count'),
  };
};
