import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createVerifier } from '../../src/verification/index.ts';
import { startRegistry } from '../support/registry-server.ts';
import {
  createSigner,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureTag,
} from '../support/signing-kit.ts';
import { FOREVER, LIMITS, requestFor, ringOf, trust, wordOf } from './harness.ts';
import { registriesOf } from './plain-http-registries.ts';

const registry = await startRegistry({ latency: 5 });
const registries = registriesOf(registry.host);
afterAll(async () => {
  await registries.close();
  await registry.close();
});

const signer = createSigner();
const ring = ringOf([await trust(signer)]);
const image = imageManifest('pilot over HTTP');
const repository = `${registry.host}/istio/pilot`;

const createOverHttp = () =>
  createVerifier({
    open: registries.open,
    ring: () => ring,
    limits: LIMITS,
    tagMemory: 10_000,
    now: Date.now,
    report: String,
  });

beforeEach(() => {
  registry.clearRequests();
  registry.fault = undefined;
  push(registry, 'istio/pilot', image, '1.28.0');
  pushSignatures(registry, 'istio/pilot', image.digest, [sign(signer, repository, image.digest)]);
});

const lines = () => registry.requests.map(({ method, path }) => `${method} ${path}`);

describe('over HTTP', () => {
  it('8 containers of 10 pods of one new image are three requests in all', async () => {
    const { verify } = createOverHttp();
    const verdicts = await Promise.all(
      Array.from({ length: 80 }, () => verify(requestFor(`${repository}:1.28.0`), FOREVER)),
    );
    expect(new Set(verdicts.map(wordOf))).toEqual(new Set(['verified']));
    expect(verdicts.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
    expect(lines()).toEqual([
      'HEAD /v2/istio/pilot/manifests/1.28.0',
      `GET /v2/istio/pilot/referrers/${image.digest}`,
      `GET /v2/istio/pilot/manifests/${signatureTag(image.digest)}`,
    ]);
  });

  it('a remembered image is no request, and neither is one whose registry is gone', async () => {
    const { verify } = createOverHttp();
    const verification = requestFor(`${repository}@${image.digest}`);
    expect(await verify(verification, FOREVER)).toMatchObject({ outcome: 'verified', requests: 2 });
    registry.fault = (request) => {
      request.socket.destroy();
      return true;
    };
    expect(await verify(verification, FOREVER)).toMatchObject({
      outcome: 'verified',
      requests: 0,
      fromMemory: true,
    });
    expect(registry.requests).toHaveLength(2);
  });

  it('a caller who leaves does not end the request of the others', async () => {
    const { verify } = createOverHttp();
    const { promise: requestArrived, resolve: onRequest } = Promise.withResolvers<void>();
    let respond = () => {};
    registry.fault = (request, response) => {
      if (request.url?.includes('/referrers/') === true) return false;
      respond = () => response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      onRequest();
      return true;
    };
    const impatient = new AbortController();
    const verification = requestFor(`${repository}@${image.digest}`);
    const left = verify(verification, impatient.signal);
    const stayed = verify(verification, FOREVER);
    await requestArrived;
    impatient.abort();
    expect(await left).toMatchObject({ reason: { code: 'deadline-exceeded', asked: true } });
    respond();
    expect(await stayed).toMatchObject({ reason: { code: 'signature-missing' }, requests: 0 });
  });

  it('a tag stands for its last answer once the registry is gone', async () => {
    const { verify } = createVerifier({
      open: registries.open,
      ring: () => ring,
      limits: LIMITS,
      tagMemory: 0,
      now: Date.now,
      report: String,
    });
    const verification = requestFor(`${repository}:1.28.0`);
    expect(wordOf(await verify(verification, FOREVER))).toBe('verified');
    registry.fault = (request) => {
      request.socket.destroy();
      return true;
    };
    expect(await verify(verification, FOREVER)).toMatchObject({
      reason: { code: 'registry-unavailable' },
      lastVerified: { verified: { outcome: 'verified', digest: image.digest } },
    });
  });
});
