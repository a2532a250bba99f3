import type { OpenSource } from '../registry/index.ts';
import type { VerifyImage } from '../verification/index.ts';
import type { Metrics } from './metrics.ts';

/** The same verification, counted and timed once it has answered; what is recalled is counted too. */
export const measureVerify = (
  verify: VerifyImage,
  metrics: Pick<Metrics, 'countVerification'>,
  now: () => number,
): VerifyImage => {
  const measured: VerifyImage = async (question, signal) => {
    const began = now();
    const verification = await verify(question, signal);
    metrics.countVerification(verification, (now() - began) / 1000);
    return verification;
  };
  const recall: VerifyImage['recall'] = (question) => {
    const verified = verify.recall?.(question);
    if (verified !== undefined) metrics.countVerification(verified, 0);
    return verified;
  };
  return Object.assign(measured, { recall });
};

/** The same sources, their requests counted by registry. Hosts beside `known` are `other`, so labels stay a closed set. */
export const measureOpen = (
  open: OpenSource,
  metrics: Pick<Metrics, 'countRegistryRequest'>,
  known: ReadonlySet<string>,
): OpenSource => {
  return (repository, onRequest) =>
    open(repository, () => {
      metrics.countRegistryRequest(known.has(repository.registry) ? repository.registry : 'other');
      onRequest();
    });
};
