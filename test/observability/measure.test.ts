import { describe, expect, it } from 'vitest';
import { createRepository } from '../../src/image/index.ts';
import { measureOpen, measureVerifier } from '../../src/observability/index.ts';
import { createSourceCaller, type OpenSource, type Source } from '../../src/registry/index.ts';
import type { Verification, VerificationRequest } from '../../src/verification/index.ts';
import { withoutMemory } from '../support/verdicts.ts';

const request = {} as VerificationRequest;
const verified = { outcome: 'verified', fromMemory: false } as Verification;

describe('a measured verification', () => {
  it('is timed to its answer, not to its promise', async () => {
    let now = 1000;
    const pending = Promise.withResolvers<Verification>();
    const counted: [Verification, number][] = [];
    const metrics = { countVerification: (...one: [Verification, number]) => void counted.push(one) };
    const signal = AbortSignal.abort();
    const requests: unknown[] = [];
    const verifier = measureVerifier(
      withoutMemory((...arguments_) => {
        requests.push(...arguments_);
        return pending.promise;
      }),
      metrics,
      () => now,
    );
    const verifying = verifier.verify(request, signal);
    expect(counted).toEqual([]);
    now = 3500;
    pending.resolve(verified);
    expect(await verifying).toBe(verified);
    expect(counted).toEqual([[verified, 2.5]]);
    expect([requests[0] === request, requests[1] === signal]).toEqual([true, true]);
  });
});

describe('a measured source', () => {
  it('counts each request under its registry, or as another where nobody named that', () => {
    const counted: string[] = [];
    let requests = 0;
    const send: (() => void)[] = [];
    const source = {} as Source;
    const open: OpenSource = (_repository, { onRequest }) => {
      send.push(onRequest);
      return source;
    };
    const metrics = { countRegistryRequest: (registry: string) => void counted.push(registry) };
    const measured = measureOpen(open, metrics, new Set(['docker.io']));
    const caller = createSourceCaller(() => void (requests += 1));
    expect(measured(createRepository('docker.io', 'istio/pilot'), caller)).toBe(source);
    measured(createRepository('chosen-by-a-pod.example', 'a'), caller);
    expect([counted, requests]).toEqual([[], 0]);
    send[0]?.();
    send[0]?.();
    send[1]?.();
    expect([counted, requests]).toEqual([['docker.io', 'docker.io', 'other'], 3]);
  });
});
