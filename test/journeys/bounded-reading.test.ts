import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/image/index.ts';
import { pod, review } from '../support/builders.ts';
import { BUNDLE_TYPE, bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { allowed, expireMemory, refused, startMirrorAndWebhook } from '../support/mirror-and-webhook.ts';
import type { Fault } from '../support/registry-server.ts';
import { pushSignatures, sign } from '../support/signing-kit.ts';

/*
 * A pusher to a repository chooses everything that lies beside an image there. How much of it is read is counted in
 * bytes and pieces, and never depends on how fast it comes.
 */

const MIB = 1024 * 1024;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const PATH = 'istio/proxyv2';

/** Documents of 4 MiB of JSON, which differ in their first bytes. */
const longDocuments = (count: number) => {
  const rest = Buffer.from(`"layers":[${'{},'.repeat((4 * MIB) / 3 - 100)}{}]}`);
  return new Map(
    Array.from({ length: count }, (_, at): [Digest, Buffer] => {
      const document = Buffer.concat([Buffer.from(`{"at":${at},`), rest]);
      return [digestOf(document), document];
    }),
  );
};

const descriptorOf = (digest: string) => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: BUNDLE_TYPE,
  size: 1000,
  digest,
});

const abortable = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
};

const PIECE = 64 * 1024;

/** Sends a document piece by piece, while its reader takes them. Calls `onSent` with the bytes of each. */
const sendPieces = (response: ServerResponse, document: Buffer, onSent: (bytes: number) => void): void => {
  const send = (from: number): void => {
    if (response.destroyed || from >= document.length) return void response.end();
    response.write(document.subarray(from, from + PIECE));
    onSent(PIECE);
    setTimeout(() => send(from + PIECE), 2);
  };
  send(0);
};

/** Serves a list of referrers, and these documents beside what the registry holds; counts the bytes of the documents. */
const serving = (digest: string, documents: ReadonlyMap<string, Buffer>, listed: readonly string[]) => {
  let bytesSent = 0;
  const fault: Fault = (request, response) => {
    const at = (request.url ?? '').slice((request.url ?? '').lastIndexOf('/') + 1);
    if (request.url?.includes(`/referrers/${digest}`) === true) {
      const index = { schemaVersion: 2, mediaType: INDEX, manifests: listed.map(descriptorOf) };
      response.writeHead(200, { 'content-type': INDEX }).end(JSON.stringify(index));
      return true;
    }
    const document = documents.get(at);
    if (document === undefined) return false;
    response.writeHead(200, { 'content-type': INDEX });
    sendPieces(response, document, (bytes) => {
      bytesSent += bytes;
    });
    return true;
  };
  return { fault, sent: () => bytesSent };
};

const verdictOf = (response: { readonly auditAnnotations?: Readonly<Record<string, string>> }) => ({
  verdict: response.auditAnnotations?.['verdict'],
  reasons: (response.auditAnnotations?.['reason'] ?? '').split(', ').filter((code) => code !== ''),
});

describe('a hundred referrers of 4 MiB beside an image', () => {
  it('hide no signature, are not read, and keep no remembered image waiting', async () => {
    const { mirror, webhook } = await startMirrorAndWebhook();
    const remembered = mirror.add();
    const send = async (image: string) => webhook.sendReview('/validate/enforce', review(pod([image])));
    expect(verdictOf(await send(remembered.byDigest))).toEqual(allowed);
    const signed = mirror.add({ by: false });
    const genuine = pushBundle(mirror.registry, PATH, signed.digest, bundleOf(mirror.release, signed.digest));
    const unsigned = mirror.add({ by: false });
    const documents = longDocuments(99);
    for (const [image, expected] of [
      [signed, allowed],
      [unsigned, refused('signature-missing')],
    ] as const) {
      const listed = [...documents.keys(), ...(image === signed ? [genuine.digest] : [])];
      const { fault, sent } = serving(image.digest, documents, listed);
      mirror.registry.fault = fault;
      const flooded = send(image.byDigest);
      const { signal: isAnswered, abort } = abortable();
      void flooded.finally(abort);
      const waits: number[] = [];
      while (!isAnswered.aborted) waits.push((await send(remembered.byDigest)).milliseconds);
      expect(verdictOf(await flooded)).toEqual(expected);
      expect(Math.max(...waits)).toBeLessThan(1000);
      // Little more than the limit of 64 KiB is read of each.
      expect(sent()).toBeLessThan(99 * MIB);
    }
  });
});

describe('a genuine signature of another component under a name, listed a hundred times with differing annotations', () => {
  const startWithBorrowed = async (configuration: object = {}) => {
    const { mirror, webhook } = await startMirrorAndWebhook(() => configuration);
    const borrowed = mirror.add({ by: false });
    const layer = sign(mirror.release, 'docker.io/istio/ztunnel', borrowed.digest);
    let pushes = 0;
    const renew = (): void => {
      pushes += 1;
      const layers = Array.from({ length: 100 }, (_, at) => ({
        ...layer,
        annotations: { ...layer.annotations, 'dev.sigstore.cosign/bundle': `{"${pushes}":${at}}` },
      }));
      pushSignatures(mirror.registry, PATH, borrowed.digest, layers);
    };
    return { mirror, webhook, borrowed, renew };
  };

  it('is one signature, however often it is renewed: the hundredth pod costs what the first does', async () => {
    // The budget of a namespace ends before that.
    const { webhook, borrowed, renew } = await startWithBorrowed({ limits: { requestBudget: 1000 } });
    const waits: number[] = [];
    for (let times = 0; times < 100; times += 1) {
      renew();
      expireMemory(webhook);
      const response = await webhook.sendReview('/validate/enforce', review(pod([borrowed.byDigest])));
      expect(verdictOf(response)).toEqual(refused('component-mismatch'));
      waits.push(response.milliseconds);
    }
    expect(Math.max(...waits)).toBeLessThan(1000);
  }, 60_000);

  it('is read once in rejectedMemory, not for each pod', async () => {
    const { webhook, borrowed, renew } = await startWithBorrowed();
    renew();
    const requests: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      const summary = await webhook.summaryOf(review(pod([borrowed.byDigest])));
      expect(summary).toMatchObject(refused('component-mismatch'));
      requests.push(summary.requests);
      renew();
    }
    expect(requests.slice(1)).toEqual([0, 0]);
  });
});
