import type { OpenSource } from '../registry/index.ts';
import type { Verifier } from '../verification/index.ts';
import type { Metrics } from './metrics.ts';

/** Counts and times the verifications of `verifier`. A recalled verdict takes 0 seconds. */
export const measureVerifier = (
  verifier: Verifier,
  metrics: Pick<Metrics, 'countVerification'>,
  now: () => number,
): Verifier => ({
  recall: (request) => {
    const verified = verifier.recall(request);
    if (verified !== undefined) metrics.countVerification(verified, 0);
    return verified;
  },
  verify: async (request, signal) => {
    const startedAt = now();
    const verification = await verifier.verify(request, signal);
    metrics.countVerification(verification, (now() - startedAt) / 1000);
    return verification;
  },
});

/** Counts requests by registry. Hosts that are not in `known` count as `other`, so that the labels are a closed set. */
export const measureOpen = (
  open: OpenSource,
  metrics: Pick<Metrics, 'countRegistryRequest'>,
  known: ReadonlySet<string>,
): OpenSource => {
  return (repository, caller) => {
    const onRequest = (): void => {
      metrics.countRegistryRequest(known.has(repository.registry) ? repository.registry : 'other');
      caller.onRequest();
    };
    return open(repository, { ...caller, onRequest });
  };
};
