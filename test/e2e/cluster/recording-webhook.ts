import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createTls } from '../../support/tls.ts';
import { HOST } from '../control-plane/control-plane.ts';

/** One review, limited to what tests read. */
export interface RecordedReview {
  readonly name: string;
  readonly operation: string;
  readonly subResource: string | undefined;
}

/** A webhook that allows everything and records its reviews. */
export interface RecordingWebhook {
  readonly reviews: RecordedReview[];
  /** The `clientConfig` for an entry of a ValidatingWebhookConfiguration. */
  readonly clientConfig: { readonly url: string; readonly caBundle: string };
  close(): Promise<void>;
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly name: string;
    readonly operation: string;
    readonly subResource?: string;
  };
}

/** Starts it at the host's address. */
export const startRecordingWebhook = async (): Promise<RecordingWebhook> => {
  const tls = createTls([HOST]);
  const reviews: RecordedReview[] = [];
  const respond = (text: string): string => {
    const { uid, name, operation, subResource } = (JSON.parse(text) as Review).request;
    reviews.push({ name, operation, subResource });
    const response = { uid, allowed: true };
    return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
  };
  const server = createServer({ cert: tls.cert, key: tls.key }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(respond(Buffer.concat(chunks).toString()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    reviews,
    clientConfig: {
      url: `https://${HOST}:${port}/`,
      caBundle: Buffer.from(tls.ca).toString('base64'),
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
