import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import { pod, review } from '../support/builders.ts';
import { BUNDLE_TYPE } from '../support/bundle-kit.ts';
import { startMirror } from '../support/mirror.ts';
import { pushSignatures, sign } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { startWaitingClient } from '../support/waiting-client.ts';
import { startWebhook } from '../support/webhook.ts';

/*
 * The memory of a real process, with the chart's limits, under everything that is known to have filled it; and the time that
 * another's remembered review takes meanwhile. A client in a thread of its own measures it.
 */

const MIB = 1024 * 1024;
/** `resources.limits.memory` of the chart's values.yaml; Node's heap gets two fifths of it. */
const MEMORY_LIMIT = 512 * MIB;
const HEAP_MIB = 204;
/** As the chart sets it. */
process.env['GLIBC_TUNABLES'] = 'glibc.malloc.mmap_threshold=131072';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const SOURCE = new URL('../../src/main.ts', import.meta.url).pathname;

const tls = createTls();
const mirror = await startMirror();
const webhook = await startWebhook(mirror.configuration, tls, [`--max-old-space-size=${HEAP_MIB}`, SOURCE]);
const agent = new Agent({ ca: tls.ca, keepAlive: true });
const remembered = review(pod([mirror.add().byDigest]));
afterAll(async () => {
  agent.destroy();
  await webhook.stop();
  await mirror.registry.close();
});

/** Posts a body. Resolves with the status, 0 if the connection was closed. */
const post = (body: string | Buffer): Promise<number> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = httpsRequest(`${webhook.url}/validate/enforce`, { method: 'POST', agent, headers });
    sent.once('error', () => resolve(0));
    sent.once('response', (response) => {
      response.once('error', () => resolve(0)).once('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    sent.end(body);
  });
/** The request line of a review, and its headers but for the length. */
const HEAD = 'POST /validate/enforce HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
const openSocket = () => {
  const { hostname, port } = new URL(webhook.url);
  const socket = connect({ port: Number(port), host: hostname, ca: tls.ca, servername: 'localhost' });
  return socket.on('error', () => undefined).resume();
};
const untilClosed = (socket: ReturnType<typeof openSocket>): Promise<void> =>
  new Promise((resolve) => void socket.once('close', () => resolve()));
const postAll = (bodies: readonly (string | Buffer)[]) => Promise.all(bodies.map(post));
const reviewOf = (images: readonly string[]) => JSON.stringify(review(pod(images)));

const peakMemory = async (): Promise<number> => {
  const status = await readFile(`/proc/${webhook.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
};

const randomDigest = (() => {
  let at = 0;
  return () => digestOf(`${(at += 1)}`);
})();

/** Serves a list of referrers of every digest, and a document for each of them. */
const flood = (listed: readonly string[], document: Buffer): void => {
  mirror.registry.fault = (request, response) => {
    if (request.url?.includes('/referrers/') === true) {
      const manifests = listed.map((digest) => ({ digest, artifactType: BUNDLE_TYPE }));
      response.writeHead(200, { 'content-type': INDEX }).end(JSON.stringify({ manifests }));
      return true;
    }
    if (!listed.some((digest) => request.url?.endsWith(digest) === true)) return false;
    response.writeHead(200, { 'content-type': INDEX }).end(document);
    return true;
  };
};

/** A review whose pod has one more member. */
const reviewWith = (member: string): string =>
  reviewOf(['docker.io/other/app:1']).replace('"spec":', `"more":${member},"spec":`);

const mebibytes = (text: string, count: number): string => text.repeat((count * MIB) / text.length);
const at = mirror.registry.host;

/** An image for which no question is answered. */
const hangingImage = (): string => {
  const digest = randomDigest();
  mirror.registry.fault = (request) => request.url?.includes(digest.slice(-64)) === true;
  return `${at}/istio/proxyv2@${digest}`;
};

const ROWS: readonly (readonly [string, () => Promise<unknown>])[] = [
  [
    'a hundred referrers of 4 MiB beside an image, in ten pods',
    () => {
      flood(Array.from({ length: 100 }, randomDigest), Buffer.from(`{"layers":[${mebibytes('{},', 4)}{}]}`));
      return postAll(Array.from({ length: 10 }, () => reviewOf([`${at}/istio/proxyv2@${randomDigest()}`])));
    },
  ],
  [
    'lists of referrers of ten pages of almost 1 MiB, of 40 digests at once',
    () => {
      const list = Buffer.from(`{"manifests":[${mebibytes('{},', 0.9)}{}]}`);
      mirror.registry.fault = (request, response) => {
        if (request.url?.includes('/referrers/') !== true) return false;
        response.writeHead(200, { 'content-type': INDEX, link: '<?last=1>; rel="next"' }).end(list);
        return true;
      };
      const images = Array.from({ length: 40 }, () => `${at}/istio/proxyv2@${randomDigest()}`);
      return postAll(images.map((image) => reviewOf([image])));
    },
  ],
  [
    'twenty bodies of 19 MB of tiny containers at once',
    () => postAll(Array.from({ length: 20 }, () => reviewWith(`[${mebibytes('{},', 18)}{}]`))),
  ],
  [
    'bodies of 19 MB of containers with images, of members, of brackets, of escapes',
    () =>
      postAll([
        reviewWith(`[${mebibytes('{"image":"a"},', 18)}{}]`),
        reviewWith(`{${Array.from({ length: 1_200_000 }, (_, key) => `"${key}":0`).join(',')}}`),
        reviewWith(`${mebibytes('[', 9)}${mebibytes(']', 9)}`),
        mebibytes('[', 18),
        reviewWith(`"${mebibytes('\\u0041', 18)}"`),
        reviewWith(`"${mebibytes('\\"', 18)}"`),
        reviewWith(`"é漢${mebibytes('x', 18)}"`),
      ]),
  ],
  [
    'forty bodies of 10 MB that never end',
    async () => {
      const sockets = Array.from({ length: 40 }, openSocket);
      const sent = sockets.map((socket) => {
        socket.write(`${HEAD}content-length: ${11 * MIB}\r\n\r\n`);
        return Promise.race([
          untilClosed(socket),
          new Promise((resolve) => void socket.write(Buffer.alloc(10 * MIB, ' '), resolve)),
        ]);
      });
      await Promise.all(sent);
      expect(await post(reviewWith(`"${mebibytes('x', 1)}"`))).toBe(200);
      for (const socket of sockets) socket.destroy();
    },
  ],
  [
    'three hundred reviews of 240 KiB of tiny values at once, which wait for a registry',
    async () => {
      const image = hangingImage();
      const body = reviewOf([image]).replace('"spec":', `"more":[${mebibytes('[],', 0.23)}[]],"spec":`);
      await postAll(Array.from({ length: 300 }, () => body));
    },
  ],
  [
    'twelve reviews of 19 MB of wide text and tiny values, which wait for a registry',
    async () => {
      const image = hangingImage();
      const more = `["漢${mebibytes('x', 18)}",${mebibytes('{},', 0.5)}{}]`;
      const body = reviewOf([image]).replace('"spec":', `"more":${more},"spec":`);
      await postAll(Array.from({ length: 12 }, () => body));
    },
  ],
  [
    'bodies in chunks of one byte',
    () => {
      const sockets = Array.from({ length: 20 }, openSocket);
      for (const socket of sockets)
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(100_000)}`);
      return Promise.all(sockets.map(untilClosed));
    },
  ],
  [
    'a signature listed a hundred times with differing annotations, renewed for 20 pods',
    async () => {
      const borrowed = mirror.add({ by: false });
      const layer = sign(mirror.release, 'docker.io/istio/ztunnel', borrowed.digest);
      for (let times = 0; times < 20; times += 1) {
        const layers = Array.from({ length: 100 }, (_, each) => ({
          ...layer,
          annotations: { ...layer.annotations, 'dev.sigstore.cosign/bundle': `${times} ${each}` },
        }));
        pushSignatures(mirror.registry, 'istio/proxyv2', borrowed.digest, layers);
        await post(reviewOf([borrowed.byDigest]));
      }
    },
  ],
  [
    'pods of 64 absent tags',
    async () => {
      for (let pods = 0; pods < 20; pods += 1)
        await post(
          reviewOf(Array.from({ length: 64 }, (_, each) => `${at}/istio/proxyv2:absent-${pods}-${each}`)),
        );
    },
  ],
  [
    'pods of 64 random digests',
    async () => {
      for (let pods = 0; pods < 20; pods += 1)
        await post(reviewOf(Array.from({ length: 64 }, () => `${at}/istio/proxyv2@${randomDigest()}`)));
    },
  ],
];

describe('the memory of serve, with the heap and the limit of the chart', () => {
  it.each(ROWS)(
    'stays below the limit, and a remembered review is answered within a second: %s',
    async (name, attack) => {
      mirror.registry.fault = undefined;
      await webhook.sendReview('/validate/enforce', remembered);
      // Begins the measurement of the peak anew (proc_pid_clear_refs(5)).
      await writeFile(`/proc/${webhook.pid}/clear_refs`, '5');
      const target = { url: `${webhook.url}/validate/enforce`, pid: webhook.pid };
      const client = await startWaitingClient(target, tls.ca, remembered);
      await attack();
      const { longest, longestAlone, responses } = await client.stop();
      const peak = await peakMemory();
      console.log(
        `${name}: ${Math.round(peak / MIB)} MiB at most, ${Math.round(longest)} ms at most (${Math.round(longestAlone)} ms of a processor of its own) of ${responses} responses`,
      );
      expect({ isBelow: peak < MEMORY_LIMIT, isInTime: longestAlone < 1000 }).toEqual({
        isBelow: true,
        isInTime: true,
      });
    },
    60_000,
  );
});
