import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createTls } from '../../support/tls.ts';
import { HOST } from '../control-plane/control-plane.ts';
import type { Cluster } from './cluster.ts';

/** A mutating webhook that adds a sidecar, as an injector does. */
export interface InjectingWebhook {
  /** Called before each response. */
  onReview: () => void;
  close(): Promise<void>;
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly spec: { readonly containers: readonly { readonly name: string }[] } };
  };
}

const SIDECAR = 'istio-proxy';
const COLLECTION = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** Responds with a patch that adds the sidecar unless the pod has it. */
const responseTo = (text: string, image: string): string => {
  const { uid, object } = (JSON.parse(text) as Review).request;
  const has = object.spec.containers.some(({ name }) => name === SIDECAR);
  const patch = [{ op: 'add', path: '/spec/containers/-', value: { name: SIDECAR, image } }];
  const patched = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  const response = { uid, allowed: true, ...(has ? {} : patched) };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
};

/**
 * Starts it, and has the API server call it for new pods with the label `inject: NAME`. `name` is that of its
 * configuration, by which the API server orders mutating webhooks.
 */
export const startInjectingWebhook = async (
  { api }: Cluster,
  name: string,
  image: string,
): Promise<InjectingWebhook> => {
  const tls = createTls([HOST]);
  const webhook = {
    onReview: (): void => {},
    close: async (): Promise<void> => {
      await api.remove(`${COLLECTION}/${name}`);
      server.closeAllConnections();
      server.close();
    },
  };
  const server = createServer({ cert: tls.cert, key: tls.key }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      webhook.onReview();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(responseTo(Buffer.concat(chunks).toString(), image));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(tls.ca).toString('base64');
  await api.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'inject.test.example',
        admissionReviewVersions: ['v1'],
        clientConfig: { url: `https://${HOST}:${port}/`, caBundle },
        sideEffects: 'None',
        failurePolicy: 'Fail',
        objectSelector: { matchLabels: { inject: name } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
    ],
  });
  return webhook;
};
