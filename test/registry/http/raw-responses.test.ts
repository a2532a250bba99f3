import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createRepository, digestOf } from '../../../src/image/index.ts';
import { createRegistries, createSourceCaller } from '../../../src/registry/index.ts';
import { registryLimits } from '../../support/registry-limits.ts';

/*
 * Responses that no HTTP library would write. Their fault code matters: `allow` and `allow-verified-tag` may let a pod
 * start if a registry is unavailable, never if its response is invalid.
 */

const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const MANIFEST = '{"schemaVersion":2}';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** Requests a manifest from a server that responds to every connection with this text and closes it. */
const fetchManifest = async (answer: string): Promise<unknown> => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = [{ host: registry, plainHttp: true }];
  const registries = createRegistries({ settings, limits: registryLimits, now: Date.now });
  opened.push(registries.close, () => new Promise((resolve) => server.close(resolve)));
  const source = registries.open(createRepository(registry, 'istio/pilot'), createSourceCaller());
  return source.manifest({ digest: digestOf(Buffer.from(MANIFEST)) }, AbortSignal.timeout(5000));
};

const ok = (...headers: readonly string[]): string =>
  ['HTTP/1.1 200 OK', `content-type: ${MEDIA_TYPE}`, ...headers, '', MANIFEST].join('\r\n');

describe('an answer on the wire', () => {
  it.each([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['has two lengths', ok(`content-length: ${MANIFEST.length}`, 'content-length: 5')],
    ['has a length below nothing', ok('content-length: -1')],
    ['has a length that is no number', ok('content-length: 0x13')],
    ['has a length and chunks', ok(`content-length: ${MANIFEST.length}`, 'transfer-encoding: chunked')],
    ['is chunked, and its chunks are none', ok('transfer-encoding: chunked')],
    ['is longer than its length', ok('content-length: 5')],
    ['is shorter than its length', ok('content-length: 500')],
    ['has headers without end', ok(`x-filler: ${'a'.repeat(200_000)}`)],
  ])('that %s is invalid', async (_name, answer) => {
    await expect(fetchManifest(answer)).rejects.toMatchObject({
      name: 'SourceFault',
      code: 'answer-invalid',
      asked: true,
    });
  });

  it('that never comes is no answer', async () => {
    await expect(fetchManifest('')).rejects.toMatchObject({
      name: 'SourceFault',
      code: 'unavailable',
      asked: true,
    });
  });

  it('that ends with its connection is whole', async () => {
    expect(await fetchManifest(ok('connection: close'))).toMatchObject({ mediaType: MEDIA_TYPE });
  });
});
